"""A card for each trained model that ships: what it is, how it was made, and what it is good for.

python -m ae_keras.runs.cards

writes the `README.md` of all of them anew. What their files say is taken from these; what only
people know stands in `cards.toml`, and the terms of the images in `LICENSES.md`, both beside the
run folders.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.shipped import PRETRAINED
from ae_keras.system.safe_files import write_text
from ae_keras.system.text_tables import to_markdown

WORDS = "cards.toml"
TERMS = "LICENSES.md"
_WRITTEN = ("what", "training", "measured", "use", "limits")
_FILES = {
    "model.keras": "for Keras, on any of its backends",
    "model.tflite": "for LiteRT, without Keras",
    "entropy_tables.npz": "the tables of its codec",
}
_COMMANDS = {
    "reconstruction": "ae-keras compress photo.jpg -o photo.aek --model {name}",
    "colourization": "ae-keras colourize old.jpg -o new.png --model {name}",
    "denoising": "ae-keras denoise noisy.jpg -o clean.png --model {name}",
}
# What `metrics.json` calls them, with the decimals that are told.
_METRICS = {
    "mse": ("MSE, of images in [0, 1]", 5),
    "psnr": ("PSNR, mean over images [dB]", 2),
    "ssim": ("SSIM", 3),
    "ms_ssim": ("MS-SSIM", 3),
    "kl": ("divergence of an image's latent from the prior [nats]", 0),
    "ab_rmse": ("ab-RMSE", 2),
    "delta_e": ("Delta E 2000", 2),
    "colourfulness": ("colourfulness", 2),
}
_SCHEDULES = {
    "cosine": "falls to zero as a cosine over all epochs",
    "trapezoid": "stays, and falls to zero at the end",
}


def write_cards(folder: Path = PRETRAINED) -> list[Path]:
    """Write the cards of all models in a folder.

    Args:
        folder: Path. Of run folders, with `cards.toml` and `LICENSES.md` beside them.

    Returns:
        The cards' files.

    Raises:
        ValueError: if one of the two says nothing, or not enough, of a model.
        OSError: if files cannot be read or written.
    """
    words = tomllib.loads((folder / WORDS).read_text(encoding="utf-8"))
    terms = (folder / TERMS).read_text(encoding="utf-8")
    cards = {
        path.parent / "README.md": card(RunFolder(path.parent), words, terms)
        for path in sorted(folder.glob("*/model.keras"))
    }
    for path, text in cards.items():
        write_text(path, text)
    return list(cards)


def card(run: RunFolder, words: Mapping[str, Mapping[str, str]], terms: str) -> str:
    """Return the card of a model, as Markdown.

    Args:
        run: RunFolder.
        words: What people know of models, by name: the texts `what`, `training`, `use` and
            `limits`, and perhaps `measured`.
        terms: str. A Markdown table of models, what they were trained on, images, and terms.

    Raises:
        ValueError: if `words` or `terms` lack the model.
    """
    name, recipe = run.path.name, run.recipe
    written = words.get(name, {})
    missing = [key for key in _WRITTEN if key != "measured" and not written.get(key)]
    if missing:
        raise ValueError(f"{WORDS} lacks {', '.join(missing)} of {name!r}.")
    command = _COMMANDS[recipe.task].format(name=name)
    parts = [
        f"# {name}",
        written["what"],
        f"```sh\n{command}\n```",
        _facts(run),
        "## Training",
        _describe_training(run),
        written["training"],
        _images(name, terms),
        "## Quality",
        _measurements(run),
        written.get("measured", ""),
        "## Use",
        written["use"],
        "## Limits and flaws",
        written["limits"],
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _facts(run: RunFolder) -> str:
    """Return the table of what the model is, and of its files."""
    recipe = run.recipe
    model = build_from_recipe(recipe)
    arguments = ", ".join(f"`{key}={value}`" for key, value in recipe.model_arguments.items())
    rows = [("model", f"`{recipe.model}`" + (f" with {arguments}" if arguments else ""))]
    kind = {1: "grey", 3: "RGB"}[recipe.image_shape[-1]]
    rows.append(("images in training", f"{_by(recipe.image_shape[:2])} pixels, {kind}, in [0, 1]"))
    if model.has_latent:
        shape = model.latent_shape
        rows.append(("latent of such an image", f"{_by(shape)} values"))
    rows.append(("parameters", f"{model.parameter_count:,}"))
    for file, what in _FILES.items():
        path = run.path / file
        if path.is_file():
            rows.append((f"`{file}`", f"{path.stat().st_size / 1000:,.0f} KB, {what}"))
    return to_markdown(("", ""), rows).replace("---:", "---")


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _describe_training(run: RunFolder) -> str:
    """Return how the model was trained, in words."""
    recipe = run.recipe
    length = f"{_count(recipe.epochs, 'epoch')} of the data set `{recipe.dataset}`"
    if recipe.steps_per_epoch:
        length = (
            f"{recipe.epochs * recipe.steps_per_epoch:,} steps on the data set `{recipe.dataset}`"
        )
    parts = [f"{length}, in batches of {recipe.batch_size} images, with the loss `{recipe.loss}`"]
    options = ", ".join(f"`{key}={value}`" for key, value in recipe.optimizer_arguments.items())
    parts.append(f"the optimizer `{recipe.optimizer}`" + (f" ({options})" if options else ""))
    falls = _SCHEDULES.get(recipe.schedule, f"follows `{recipe.schedule}`")
    parts.append(f"and a learning rate of {recipe.learning_rate:g} that {falls}")
    text = f"It was trained for {', '.join(parts)}."
    if recipe.augmentation:
        text += f" Images were augmented (`{json.dumps(recipe.augmentation)}`)."
    if recipe.crops:
        text += f" Images were crops of photographs (`{json.dumps(recipe.crops)}`)."
    if recipe.start_from:
        text += f" It started from the run `{recipe.start_from['name']}`."
    if run.is_finished:
        measured = run.metrics["training"]
        text += (
            f" The weights are those of epoch {measured['best_epoch']}, the best one; an epoch took"
            f" {measured['seconds_per_epoch']:.0f} s on two CPU cores."
        )
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number > 1 else "")


def _images(name: str, terms: str) -> str:
    """Return the rows of the table of terms that are about a model."""
    rows, models = [], ""
    for line in terms.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4:
            continue
        models = cells[0] or models
        if f"`{name}`" in models:
            rows.append(cells[1:])
    if not rows:
        raise ValueError(f"{TERMS} lacks {name!r}.")
    table = to_markdown(("trained on", "images", "terms of the images"), rows)
    ask = "Ask the owners of the data before you use the weights for more than research"
    return f"{re.sub('---:', '---', table)}\n\n{ask} ([more of the terms](../{TERMS}))."


def _measurements(run: RunFolder) -> str:
    """Return the table of what was measured on test images; else what validation has said."""
    if not run.is_finished:
        return _validation(run.history[-1])
    test = run.metrics["test"]
    rows = [
        (label, f"{test[key]:,.{decimals}f}")
        for key, (label, decimals) in _METRICS.items()
        if key in test
    ]
    return to_markdown((f"{test['images']:,} test images", ""), rows)


def _validation(last: dict[str, float]) -> str:
    """Return what an epoch's validation has measured; by quality, where a model takes one."""
    text = f"After the last epoch the loss on the validation images was {last['val_loss']:.4f}."
    qualities = [name.removeprefix("val_bpp_") for name in last if name.startswith("val_bpp_")]
    if not qualities:
        return text
    rows = [
        (quality, f"{last[f'val_bpp_{quality}']:.2f}", f"{last[f'val_psnr_{quality}']:.1f}")
        for quality in qualities
    ]
    table = to_markdown(("quality", "bits per pixel, estimated", "PSNR [dB]"), rows)
    return f"{text} On whole photographs:\n\n{table}"


if __name__ == "__main__":
    for written_card in write_cards():
        print(written_card)
