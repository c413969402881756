"""Runs strategy classes written in the style of freqtrade's ``IStrategy``, unchanged; own code throughout.

What is honoured: ``populate_indicators``, ``populate_entry_trend``, ``populate_exit_trend`` (columns ``enter_long``,
``exit_long``, ``enter_tag``, ``exit_tag``; on a margin or perpetual account ``enter_short`` and ``exit_short`` with
``can_short``, and ``leverage``), ``minimal_roi``, ``stoploss``, the trailing stop and its offset,
``startup_candle_count``, ``use_exit_signal``, ``exit_profit_only``, ``exit_profit_offset``,
``ignore_roi_if_entry_signal``, ``protections``, position adjustment, parameters (``IntParameter`` and its kin: default,
``buy_params``, the JSON file beside the strategy, the command line), ``@informative`` and ``merge_informative_pair``,
``dp`` (bars and analysed frames up to the present bar), ``wallets``, ``lock_pair``, and the callbacks ``bot_start``,
``bot_loop_start``, ``order_filled``, ``custom_stoploss``, ``custom_exit``, ``custom_roi``, ``custom_stake_amount``,
``adjust_trade_position``, ``confirm_trade_entry``, ``confirm_trade_exit``. A class that needs anything else is refused
with one error that names it all; what is accepted and has no effect stands in the run's notes.

What differs from that program's own backtests, on purpose:

- Costs are on: fee, slippage, share of a bar's volume.
- A signal trades at the next open. Callbacks are asked at the close of a bar with the close as the rate, and what
  they say holds from the next bar on; ``confirm_trade_exit`` is asked before a stop or a target may rest in it.
- Inside a bar a stop comes before a target, and a trailing stop is raised only after its bar: nobody knows whether
  the high came before the low. A gap through a stop fills at the open. A target must be traded through. Stop and
  first target are at work from the bar of the entry on, priced from its fill.
- An entry that the next open has made dearer than the free cash is rejected by the venue.
- Margin is of the whole account (cross), and a profit that callbacks see holds no funding and no interest.
- The columns are checked for look-ahead before the run; protections are always on.
- A trade that is open at the end stays open, marked at the last close.
"""
