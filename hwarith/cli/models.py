"""Commands about neural networks: cycles, transformer, weights, datatypes, search-format,
state-updates, reproducibility."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .completion import complete_weight_type
from .options import Json, Specs, Verbose
from .output import note_missing_pictures, print_json, print_tables


def cycles(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name, or a TOML file.")],
    configs: Annotated[
        list[str],
        typer.Option(
            "--config", help="A name, type=mxfp4, or rows=32,columns=32,dp=4,bits=4. Repeatable."
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
    bitmod, your own (keys rows, columns, bits, dp, serial, clocks, input_bits, weight_buffer,
    input_buffer), or type= with a type of `hwarith datatypes`: as many units that take it as have
    room in the area of fp16. Speedups are over the first config.
    """
    from ..explore.cycles.table import cycles

    found = cycles(model, configs, tokens, generate)
    if as_json:
        print_json(found.as_dict())
    else:
        print_tables(found.tables(), verbose)


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
    from ..extras import require
    from ..files import output_folder
    from ..reports import write_reproducibility_report

    chosen = (formats or ["bf16"], n or [4096], permutations, seed)
    check_sums(*chosen)
    if output:
        require("matplotlib", "this report")
        output_folder(output)
    sums = reproducibility(*chosen)
    page = write_reproducibility_report(sums, output) if output else None
    if as_json:
        print_json([x.as_dict() for x in sums])
        return
    print_tables(sums.tables(), verbose)
    print(
        f"Distinct bit patterns of {permutations} permutations; spread: greatest less least result,"
        " over the sum of the products' magnitudes"
    )
    if page:
        print(page)


def datatypes(
    types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TYPE...",
            show_default=False,
            help="Default: those of docs/datatypes.md.",
            autocompletion=complete_weight_type,
        ),
    ] = None,
    costs: Annotated[
        bool, typer.Option("--costs", help="Area and energy of a multiply-add, too.")
    ] = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Compare types of few bits: bits, blocks, scales, and errors in three distributions.

    Squared errors as shares of the squares (NMSE) of 4096 x 128 numbers: normal (N), Laplacian (L)
    and Student's t with 4 degrees of freedom (t4), of fixed seeds. With --costs gate equivalents
    and energy of a multiply-add, where there is a unit that takes the type: dot products of eight
    lanes, or processing elements for weights in it and activations in fp16.
    """
    from ..explore.datatypes import datatypes

    found = datatypes(types or (), costs)
    if as_json:
        print_json([x.as_dict() for x in found])
        return
    print_tables(found.tables(), verbose)


def search_format(
    file: Annotated[
        Path | None,
        typer.Option("--weights", help="Your own, .npy or .npz; default: the digits network's."),
    ] = None,
    bits: Annotated[int, typer.Option(help="Of the format, 2 to 8.")] = 4,
    per: Annotated[str, typer.Option(help="What has one bias: tensor or channel.")] = "tensor",
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Find the float of few bits that suits weights best: its split and its bias, by LLM-FP4.

    Every code is a number, as in e2m1b3f: two exponent bits, one of fraction, the bias 3; any unit
    takes it. Arrays have shape (..., n); with --per channel what runs along the last axis has a
    bias of its own, greater than the format's by a shift. -v shows every split.
    """
    from ..explore.format_search import search_format

    found = search_format(file, bits, per)
    if as_json:
        print_json([x.as_dict() for x in found])
        return
    print_tables(found.tables() if verbose else found.tables()[:1], verbose)


def state_updates(
    updates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FORMAT|SPEC...", show_default=False, help="Default: fp32 fp16 bf16."
        ),
    ] = None,
    rule: Annotated[str, typer.Option(help="gated or delta.")] = "gated",
    chunk: Annotated[int, typer.Option(help="Tokens of a chunk.")] = 64,
    steps: Annotated[int, typer.Option(help="Tokens of all.")] = 512,
    factors: Annotated[str, typer.Option(help="Format of keys, values and gates.")] = "bf16",
    seed: Annotated[int, typer.Option(help="Of the tokens.")] = 0,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Update states of linear attention token by token and in chunks, and tell how far apart.

    By the state's format: S' = g S + k v^T (gated), or the gated delta rule. SPEC: a multiply-add
    of states, fma:a=bf16,b=fp16,c=fp16,out=fp16, or dot:a=bf16,b=fp16,n=2,c=none,out=fp16. Errors
    are root mean squares over that of the exact states.
    """
    from ..explore.states import state_updates

    chosen = updates or ("fp32", "fp16", "bf16")
    found = state_updates(chosen, rule, chunk, steps, factors, seed)
    if as_json:
        print_json([x.as_dict() for x in found])
        return
    print_tables(found.tables(), verbose)


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

    Every product of matrices runs through the unit, bit-accurately; with a preset (bf16, fp8,
    int8-ivit, int8-llm, w4a8) every operation runs on units, which -v names. float32 stands for
    numpy's own arithmetic. Cosines are those of the embeddings to float32's with unquantized
    weights.
    """
    from ..explore.workloads.minilm.task import transformer

    found = transformer(specs or (), pairs, tokens, weights)
    if as_json:
        print_json([outcome.as_dict() for outcome in found])
        return
    print_tables(found.tables() if verbose else found.tables()[:1], verbose)
    total = found[0].multiply_adds
    print(
        f"{pairs} pairs of texts of up to {tokens} tokens, {total / 1e9:.1f} G multiply-adds a unit"
    )


def weights(
    types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TYPE...",
            show_default=False,
            help="Default: all.",
            autocompletion=complete_weight_type,
        ),
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
    from ..reports import weights

    rows = weights(types or (), file, group, output)
    if as_json:
        print_json([row.result.as_dict() for row in rows.found])
        return
    print_tables(rows.tables(), verbose)
    for reason, names in rows.reasons.items():
        print(f"No PE for {', '.join(names)}: {reason}")
    if output:
        print(output / "report.html")
        note_missing_pictures()
