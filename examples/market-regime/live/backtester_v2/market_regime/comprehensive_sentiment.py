"""What options say: more calls than puts is hope, more puts than calls is fear."""
from .rolling import mean, rolling


def measure(bars, window):
    """The mean of the last days' balance of calls and puts, -1 to 1; None at the beginning."""
    balance = []
    for bar in bars:
        total = bar.call_volume + bar.put_volume
        balance.append((bar.call_volume - bar.put_volume) / total if total else 0.0)
    return rolling(balance, window, mean)
