"""Phase `merge-trackers`: one file of metrics is gone, one is cut off within a record, one lost its older half."""
import json
import pathlib

METRICS = pathlib.Path("data/metrics")

(METRICS / "progress.json").unlink()
batches = (METRICS / "batches.json").read_text(encoding="utf-8")
(METRICS / "batches.json").write_text(batches[: len(batches) // 2], encoding="utf-8")
decisions = json.loads((METRICS / "scaling.json").read_text(encoding="utf-8"))
(METRICS / "scaling.json").write_text(json.dumps(decisions[len(decisions) // 2 :]), encoding="utf-8")
print(f"planted in {METRICS}")
