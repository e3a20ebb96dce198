`define CODE EXP+MAN:0
