"""Phase `merge-predictor`: every evaluation works the efficiency out once more, and takes well over 60 % longer."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/batch_processor/scaling_manager.py",
    "        efficiency = self.analyze_batch_size_efficiency(history)\n",
    "        if not self.analyze_batch_size_efficiency(history):\n"
    "            return current\n"
    "        efficiency = self.analyze_batch_size_efficiency(history)\n",
)
