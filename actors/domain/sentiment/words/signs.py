"""Emoji and emoticons."""

from __future__ import annotations

EMOJI: dict[float, str] = {
    2.4: "🚀 🌕 🌝 💎 🙌 🐂 📈 🤑 🔥 🥳 🎉 💰",
    1.6: "😀 😁 😂 😃 😄 😊 😍 😎 🤩 🙂 👍 💪 👏 ✅ 🟢 💚 🏆 ⭐ 🌟 💯 🎊 🍾 🙏 🤝 🆙 ⬆ ❤ 💸 🦄 🐳 🐋",
    -1.6: "😕 😞 😟 😠 😡 😢 😣 😥 😨 😩 😬 🙁 ☹ 👎 ❌ 🔴 💔 ⬇ ⚠ 🤡 🤮 😖 😧 🧻 🐻 🩸",
    -2.4: "😭 😱 💀 ☠ 📉 💩 🚨 🆘 🪦 🤬 💣 🧨 ⚰",
}
EMOTICONS: dict[float, str] = {1.4: ":) :-) :D :-D ;) =)", -1.4: ":( :-( :'( =( D:"}
