"""A cell library with tables for tests: the generic one with loads, slews and two sizes."""

from __future__ import annotations

import re

from hwarith.flow import tools

GENERIC = (tools.shipped("synth") / "generic.lib").read_text()

SLEWS = (0.05, 0.2, 1.0)
LOADS = (0.01, 0.05, 0.4)
TEMPLATES = """
  operating_conditions (typical) { process : 1; voltage : 1; temperature : 25; }
  default_operating_conditions : typical;
  slew_lower_threshold_pct_rise : 20; slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20; slew_upper_threshold_pct_fall : 80;
  lu_table_template (by_slew) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("0.05, 0.2, 1.0"); index_2 ("1, 2, 3"); }
  lu_table_template (by_load) { variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition; index_1 ("0.01, 0.05, 0.4"); index_2 ("1, 2, 3"); }
  power_lut_template (power_by_slew) { variable_1 : input_transition_time; index_1 ("0.05, 1"); }
  power_lut_template (power_by_load) { variable_1 : input_transition_time;
    variable_2 : total_output_net_capacitance; index_1 ("0.05, 1"); index_2 ("0.01, 0.4"); }
  lu_table_template (by_slews) { variable_1 : related_pin_transition;
    variable_2 : constrained_pin_transition; index_1 ("0.1, 1"); index_2 ("0.1, 0.5"); }
"""


def table(kind: str, base: float, strength: int, by_load: bool) -> str:
    """Delay or slew that grows with slew and load, less than in proportion; axes in either order,
    so that both are read."""
    pull = {"cell_rise": 3.0, "cell_fall": 2.0, "rise_transition": 5.0, "fall_transition": 3.5}
    rows = [
        [base * 0.02 + 0.1 * slew**0.8 + pull[kind] / strength * load**0.9 for load in LOADS]
        for slew in SLEWS
    ]
    template, axes = "by_slew", (SLEWS, LOADS)
    if by_load:
        rows = list(map(list, zip(*rows, strict=True)))
        template, axes = "by_load", (LOADS, SLEWS)
    index = " ".join(
        f'index_{i} ("{", ".join(map(str, axis))}");' for i, axis in enumerate(axes, start=1)
    )
    values = ", ".join('"' + ", ".join(f"{x:.6f}" for x in row) + '"' for row in rows)
    return f"{kind} ({template}) {{ {index} values ({values}); }}"


def powers(pin: str, strength: int) -> str:
    """A pin whose internal power depends on slew and, of an output, on load."""

    def replaced(match: re.Match) -> str:
        output = "direction : output" in pin
        template = "power_by_load" if output else "power_by_slew"
        rows = ((1, 0.9), (1.5, 1.2)) if output else ((1, 1.5),)
        tables = []
        for kind, share in (("rise_power", 0.7), ("fall_power", 1.3)):
            base = 0.011 * strength * float(match[1]) * share
            values = ", ".join(f'"{base * x:.6f}, {base * y:.6f}"' for x, y in rows)
            tables.append(f"{kind} ({template}) {{ values ({values}); }}")
        return " ".join(tables)

    return re.sub(r'power \(scalar\) \{ values \("([\d.]+)"\); \}', replaced, pin)


def sized(cell: str, strength: int) -> str:
    """A cell in one size, with tables."""
    by_load = "FF" not in cell and "INV" not in cell

    def replaced(match: re.Match) -> str:
        return table(match[1], float(match[2]), strength, by_load)

    def checked(match: re.Match) -> str:
        base = 0.02 * float(match[2])
        values = f'"{base}, {base * 2}", "{base * 1.5}, {base * 3}"'
        return f"{match[1]} (by_slews) {{ values ({values}); }}"

    cell = re.sub(r"cell \((\w+)\)", rf"cell (\1_X{strength})", cell)
    cell = re.sub(r"area : ([\d.]+)", lambda m: f"area : {float(m[1]) * (1 + strength) / 2}", cell)
    cell = re.sub(
        r"\bcapacitance : [\d.]+;",
        f"capacitance : {0.011 * strength}; rise_capacitance : {0.012 * strength}; "
        f"fall_capacitance : {0.01 * strength};",
        cell,
    )
    cell = re.sub(r"max_capacitance : \d+;", f"max_capacitance : {0.5 * strength};", cell)
    number = r' \(scalar\) \{ values \("([\d.]+)"\); \}'
    cell = re.sub(r"((?:rise|fall)_constraint)" + number, checked, cell)
    cell = "".join(powers(pin, strength) for pin in re.split(r"(?=    pin \()", cell))
    return re.sub(r"(cell_rise|cell_fall|rise_transition|fall_transition)" + number, replaced, cell)


def library() -> str:
    """The text of the library: combinational cells in sizes X1 and X4, flip-flops in X1."""
    start = GENERIC.index("  cell (")
    cells = re.findall(r"  cell \(\w+\) \{.*?\n  \}\n", GENERIC, re.DOTALL)
    sizes = [
        sized(cell, strength) for cell in cells for strength in ((1,) if "ff (" in cell else (1, 4))
    ]
    return GENERIC[:start].replace("hwarith_generic", "tabled") + TEMPLATES + "".join(sizes) + "}\n"
