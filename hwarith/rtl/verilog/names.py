"""Names that Verilog and SystemVerilog take without an escape."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERILOG = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
    join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
"""

VERILOG = frozenset(_VERILOG.split())
"""Keywords of Verilog (IEEE 1364-2005, annex B)."""

_SYSTEMVERILOG = """
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit
    break byte chandle checker class clocking const constraint context continue cover covergroup
    coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage
    endprogram endproperty endsequence enum eventually expect export extends extern final
    first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import
    inside int interconnect interface intersect join_any join_none let local logic longint matches
    modport nettype new nexttime null package packed priority program property protected pure rand
    randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime
    s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
    sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union
    unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
"""

SYSTEMVERILOG = frozenset(_SYSTEMVERILOG.split())
"""Keywords that SystemVerilog adds (IEEE 1800-2017, annex B)."""

KEYWORDS = VERILOG | SYSTEMVERILOG


class Names:
    """Names of one module, each given once."""

    def __init__(self, taken: Iterable[str] = KEYWORDS) -> None:
        self._taken = set(taken)

    def copy(self) -> Names:
        """The same names, to be given on their own."""
        return Names(self._taken)

    def take(self, name: str) -> None:
        """Keep a name, such as a port's, from being given."""
        self._taken.add(name)

    def give(self, name: str) -> str:
        """This name, as an identifier, or with the lowest number behind it that makes it free."""
        plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "part"
        if plain[0].isdigit():
            plain = f"n{plain}"
        free, number = plain, 1
        while free in self._taken:
            number += 1
            free = f"{plain}_{number}"
        self._taken.add(free)
        return free
