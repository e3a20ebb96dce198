"""Commands about neural networks: cycles, reproducibility, transformer, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exceptions import InvalidInput
from ..progress import counted, progress, say_first
from ..tables import Table
from .options import Json, Specs, Verbose
from .output import note_missing_pictures, print_json, print_table

RATE = 1e9
"""Multiply-adds a second of a transformer: about, on two cores (docs/transformer.md)."""

DETAILS = ("normal NMSE", "Network output error", "Multiply-adds per clock")
"""Columns of weight types that few ask for."""


def cycles(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name, or a TOML file.")],
    configs: Annotated[
        list[str],
        typer.Option(
            "--config", help="A name, or rows=32,columns=32,dp=4,bits=4,serial=1. Repeatable."
        ),
    ],
    tokens: Annotated[int, typer.Option(help="Tokens of the prompt.")] = 256,
    generate: Annotated[int, typer.Option(help="Tokens to generate after the prompt.")] = 0,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Count cycles and DRAM traffic of a language model on accelerators such as BitMoD.

    MODEL: opt-1.3b, phi-2, yi-6b, llama-2-7b, llama-2-13b, llama-3-8b, or a TOML file with
    layers, hidden, ffn, heads, kv_heads, vocab, gated. CONFIG: fp16, ant, olive, bitmod-lossless,
    bitmod, or your own. Speedups are over the first config.
    """
    from ..explore.cycles.accelerator import task
    from ..explore.cycles.files import find_config, find_model
    from ..explore.cycles.table import cycle_rows, titled

    shape = find_model(model)
    found = [(text, task(shape, find_config(text), tokens, generate)) for text in configs]
    first = found[0][1] if len(found) > 1 else None
    results = {text: cycle_rows(phases, first) for text, phases in found}
    if as_json:
        facts = {"model": model, "tokens": tokens, "generate": generate}
        of_each = [
            {"config": text, "operations": rows[:-1], "total": rows[-1]}
            for text, rows in results.items()
        ]
        print_json(facts | {"configs": of_each})
        return
    generated = f" and {generate} generated" if generate else ""
    for text, rows in results.items():
        print(f"{model}, {text}: {tokens} tokens{generated}")
        print_table(Table(titled(rows)), verbose)


def reproducibility(
    formats: Annotated[
        list[str] | None,
        typer.Argument(metavar="FORMAT...", show_default=False, help="Default: bf16."),
    ] = None,
    n: Annotated[
        list[int] | None,
        typer.Option("--n", help="Products of a sum (default: 4096). Repeatable."),
    ] = None,
    permutations: Annotated[int, typer.Option(help="Orders of the products.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the factors and the orders.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for a report.")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Count the distinct results of one sum of products, added in many orders.

    By accumulator: fp32, bf16, fp16, LayerCast (fp32, weights of the format), exact. Permuted
    products are added one by one, as a tree, and in 2, 4 and 8 parts (split-K). FORMAT: bf16, fp16,
    e4m3fn, ... With -o: report.html, report.png, results.csv and results.json.
    """
    from ..explore.reproducibility import check_sums, reproducibility
    from ..files import output_folder
    from ..reports import write_reproducibility_report

    chosen = (formats or ["bf16"], n or [4096], permutations, seed)
    check_sums(*chosen)
    if output:
        output_folder(output)
    sums = reproducibility(*chosen, track=lambda x: progress(x, "sums"))
    page = write_reproducibility_report(sums, output) if output else None
    if as_json:
        print_json([x.as_dict() for x in sums])
        return
    print_table(Table([x.row() for x in sums]), verbose)
    print(
        f"Distinct bit patterns of {permutations} permutations; spread: greatest less least result,"
        " over the sum of the products' magnitudes"
    )
    if page:
        print(page)


def transformer(
    specs: Specs = None,
    pairs: Annotated[int, typer.Option(help="Docstrings to find, of numpy and scipy.")] = 96,
    tokens: Annotated[int, typer.Option(help="Tokens that texts are cut to.")] = 32,
    weights: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Of the weights: bitmod4, int4, mxfp4, ...")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Run a transformer on units: all-MiniLM-L6-v2 finds docstrings by their first lines.

    Every product of matrices runs through the unit, bit-accurately; float32 stands for numpy's own
    arithmetic. Cosines are those of the embeddings to float32's with unquantized weights.
    """
    from ..explore.workloads.minilm.task import multiply_adds, products_of, run_products

    if not specs:
        raise InvalidInput("name at least one SPEC, such as fma:a=bf16,c=fp32,out=fp32, or float32")
    arithmetics = [(spec, None if spec == "float32" else spec) for spec in specs]
    for _, spec in arithmetics:  # a mistake in the last one is told before anything runs
        products_of(spec, weights)
    total = multiply_adds(pairs, tokens)
    found = []
    say_first("multiply-adds", total * sum(spec is not None for _, spec in arithmetics) / RATE)
    with counted("multiply-adds", total * len(arithmetics)) as count:
        for _, spec in arithmetics:
            found.append(run_products(products_of(spec, weights, count.advance), pairs, tokens))
    if as_json:
        print_json([outcome.as_dict() for outcome in found])
        return
    rows = [
        {"unit": name} | outcome.row()
        for (name, _), outcome in zip(arithmetics, found, strict=True)
    ]
    print_table(Table(rows), verbose)
    print(
        f"{pairs} pairs of texts of up to {tokens} tokens, {total / 1e9:.1f} G multiply-adds a unit"
    )


def weights(
    types: Annotated[
        list[str] | None,
        typer.Argument(metavar="TYPE...", show_default=False, help="Default: all."),
    ] = None,
    group: Annotated[
        int | None, typer.Option(help="Weights that share a scale (default: 32).")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--weights", help="Your own, .npy or .npz; default: the digits network's."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for a report.")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Compare types of weights: bits per weight, error, area per throughput.

    TYPE: int4, int4_asym, fp4, fp4_er, bitmod4, flint4, ant4, nupes4, mxfp4, nvfp4, fp16, ... or
    your own special values, fp3:5/-5. Arrays of your own have shape (..., n): groups run along the
    last axis. With -o: report.html, results.csv, results.json and report.png.
    """
    from ..explore.weights import GROUP, digits, measure_weights, read_weights, weight_types
    from ..files import output_folder
    from ..reports import weight_rows, write_weights_report

    kinds = weight_types(types or ())
    source = read_weights(file) if file else digits()
    size = GROUP if group is None else group
    source.check_group(size)
    if output:
        output_folder(output)
    results = measure_weights(kinds, source, size, track=lambda items: progress(items, "weights"))
    rows = weight_rows(results, source, size, types or ())
    page = write_weights_report(rows, output) if output else None
    if as_json:
        print_json([result.as_dict() for result in results])
        return
    print_table(Table(rows.table(), details=DETAILS), verbose)
    for reason, names in rows.reasons.items():
        print(f"No PE for {', '.join(names)}: {reason}")
    if page:
        print(page)
        note_missing_pictures()
