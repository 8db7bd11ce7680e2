"""A real sentence encoder on ATen and on Corundum: the same embeddings, who computed them, and how long it took.

Exit status 1 when an embedding differs by more than 1e-4.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from encoder import Encoder, export, read_parts
from sentences import SENTENCES
from tqdm import tqdm

import corundum

TOLERANCE = 1e-4
BATCH = 8


class Comparison:
    """Runs the same batches on ATen and on Corundum, in turns."""

    def __init__(self, encoder: Encoder, rounds: int) -> None:
        self.encoder = encoder
        self.rounds = rounds
        self.batches = [encoder.tokens(SENTENCES[start : start + BATCH]) for start in range(0, len(SENTENCES), BATCH)]
        self.seconds: dict[str, list[float]] = {"aten": [], "corundum": []}
        self.embeddings: dict[str, torch.Tensor] = {}
        self.record = corundum.Record()
        self.first_seconds = 0.0

    def run(self) -> None:
        with tqdm(total=2 * self.rounds + 3, desc="embedding", unit="pass", file=sys.stderr) as bar:
            self.embeddings["aten"] = self._pass(bar)[0]
            corundum.enable()
            _, self.first_seconds = self._pass(bar)  # compiles, or reads the cache
            with corundum.record() as self.record:
                self.embeddings["corundum"] = self._pass(bar)[0]
            # Switched by enable() and disable(), so that ATen runs as if Corundum were not there.
            for _ in range(self.rounds):
                corundum.disable()
                self.seconds["aten"].append(self._pass(bar)[1])
                corundum.enable()
                self.seconds["corundum"].append(self._pass(bar)[1])
            corundum.disable()

    def _pass(self, bar: Any) -> tuple[torch.Tensor, float]:
        self._wait()
        start = time.perf_counter()
        embeddings = torch.cat([self.encoder.embed(batch) for batch in self.batches])
        self._wait()
        seconds = time.perf_counter() - start
        bar.update()
        return embeddings.cpu(), seconds

    def _wait(self) -> None:
        if self.encoder.device.type == "cuda":
            torch.cuda.synchronize(self.encoder.device)

    def summary(self) -> dict[str, Any]:
        ours, reference = self.embeddings["corundum"], self.embeddings["aten"]
        neighbours = {name: nearest(embeddings) for name, embeddings in self.embeddings.items()}
        median = {name: statistics.median(seconds) * 1e3 for name, seconds in self.seconds.items()}
        return {
            "device": device_name(self.encoder.device),
            "torch": torch.__version__,
            "corundum": corundum.__version__,
            "sentences": len(SENTENCES),
            "max_difference": (ours - reference).abs().max().item(),
            "min_cosine": torch.nn.functional.cosine_similarity(ours.double(), reference.double()).min().item(),
            "same_neighbours": sum(a == b for a, b in zip(neighbours["aten"], neighbours["corundum"], strict=True)),
            "neighbours": neighbours,
            "aten_ms": median["aten"],
            "corundum_ms": median["corundum"],
            "first_pass_ms": self.first_seconds * 1e3,
            "share_served": self.record.share_served,
            "calls": json.loads(self.record.to_json())["calls"],
        }


def nearest(embeddings: torch.Tensor) -> list[int]:
    """For each sentence the other one that is most like it."""
    similarity = embeddings @ embeddings.T
    return similarity.fill_diagonal_(-2).argmax(1).tolist()


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({torch.get_num_threads()} threads)"


def show(result: dict[str, Any], record: corundum.Record) -> None:
    print(f"all-MiniLM-L6-v2 on {result['device']}, torch {result['torch']}, {result['sentences']} sentences\n")
    print("Who served the aten calls of one pass:\n")
    print(record)
    print("\nNearest neighbours, by Corundum's embeddings:\n")
    for index in range(0, 6, 2):
        print(f"  {SENTENCES[index]}\n    -> {SENTENCES[result['neighbours']['corundum'][index]]}")
    print(f"\n  ATen's embeddings give the same neighbour for {result['same_neighbours']} of {result['sentences']} sentences")
    verdict = "within" if result["max_difference"] <= TOLERANCE else "MORE THAN"
    print("\nEmbeddings, Corundum against ATen:\n")
    print(f"  smallest cosine similarity   {result['min_cosine']:.9f}")
    print(f"  largest absolute difference  {result['max_difference']:.2e}  ({verdict} {TOLERANCE:.0e})")
    print("\nTime of a pass, median:\n")
    print(f"  ATen      {result['aten_ms']:8.2f} ms")
    print(f"  Corundum  {result['corundum_ms']:8.2f} ms  ({result['aten_ms'] / result['corundum_ms']:.2f}x)")
    print(f"  its first {result['first_pass_ms']:8.2f} ms  (compiles kernels, or reads them from the cache)")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: cuda when there is one)")
    parser.add_argument("--rounds", type=int, default=11, help="timed passes of each, in turns (default: 11)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file, too")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights made by --export, where the package is not installed")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the weights in 16 bits (45 MB) and stop")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    parts = read_parts(options.weights)
    if options.export:
        export(parts, options.export)
        print(f"{options.export}: {options.export.stat().st_size / 1e6:.0f} MB")
        return 0
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    comparison = Comparison(Encoder(parts, device), options.rounds)
    comparison.run()
    result = comparison.summary()
    show(result, comparison.record)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    # Written so that a NaN fails, too.
    return 0 if result["max_difference"] <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
