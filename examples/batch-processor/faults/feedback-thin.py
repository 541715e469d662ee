"""Phase `merge-notes`: the feedback loop became so lean that it tells no trend."""
import pathlib
import sys

sys.dont_write_bytecode = True
from plant import plant

PATH = "src/batch_processor/feedback_loop.py"
START = "    def get_improvement_trends(self):\n"
_, method, rest = pathlib.Path(PATH).read_text(encoding="utf-8").partition(START)
plant(PATH, "\n" + method + rest, "")
