// Behaviour of the cells of generic.lib, to simulate mapped netlists with.

module INV(input A, output Y);
  assign Y = ~A;
endmodule

module BUF(input A, output Y);
  assign Y = A;
endmodule

module NAND2(input A, input B, output Y);
  assign Y = ~(A & B);
endmodule

module NAND3(input A, input B, input C, output Y);
  assign Y = ~(A & B & C);
endmodule

module NAND4(input A, input B, input C, input D, output Y);
  assign Y = ~(A & B & C & D);
endmodule

module NOR2(input A, input B, output Y);
  assign Y = ~(A | B);
endmodule

module NOR3(input A, input B, input C, output Y);
  assign Y = ~(A | B | C);
endmodule

module NOR4(input A, input B, input C, input D, output Y);
  assign Y = ~(A | B | C | D);
endmodule

module AND2(input A, input B, output Y);
  assign Y = A & B;
endmodule

module OR2(input A, input B, output Y);
  assign Y = A | B;
endmodule

module AOI21(input A, input B, input C, output Y);
  assign Y = ~((A & B) | C);
endmodule

module AOI22(input A, input B, input C, input D, output Y);
  assign Y = ~((A & B) | (C & D));
endmodule

module OAI21(input A, input B, input C, output Y);
  assign Y = ~((A | B) & C);
endmodule

module OAI22(input A, input B, input C, input D, output Y);
  assign Y = ~((A | B) & (C | D));
endmodule

module XOR2(input A, input B, output Y);
  assign Y = A ^ B;
endmodule

module XNOR2(input A, input B, output Y);
  assign Y = ~(A ^ B);
endmodule

module MUX2(input A, input B, input S, output Y);
  assign Y = S ? B : A;
endmodule

module DFF(input CK, input D, output reg Q);
  always @(posedge CK) Q <= D;
endmodule

module DFFE(input CK, input D, input E, output reg Q);
  always @(posedge CK) if (E) Q <= D;
endmodule
