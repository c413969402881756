"""What a user's code raised, told with the line of their own file."""

from __future__ import annotations

USER_MODULES = "tradewind_user"


def described(error: BaseException) -> str:
    """Return an error with the newest line of a user's file that it came through.

    Examples
    --------
    >>> described(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    where, trace = "", error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith(USER_MODULES):
            where = f" (line {trace.tb_lineno} of {trace.tb_frame.f_code.co_filename})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{where}"
