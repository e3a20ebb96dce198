// The product of fp16, to nearest even, with subnormals, as a person may write it. With WRONG set it
// is wrong for one pair of operands.
package formats;
  typedef struct packed {logic s; logic [4:0] e; logic [9:0] f;} half;
endpackage

module half_product import formats::*; #(parameter WRONG = 0) (
    input half x, input half z, output half p
);
  logic [10:0] ma, mb; logic [21:0] pr; logic s;
  assign s = x.s ^ z.s;
  assign ma = {x.e != 0, x.f}; assign mb = {z.e != 0, z.f};
  assign pr = ma * mb;
  logic signed [7:0] ea, eb, e;
  assign ea = (x.e == 0) ? 8'sd1 : $signed({3'b0, x.e}); assign eb = (z.e == 0) ? 8'sd1 : $signed({3'b0, z.e});
  logic [5:0] lz;
  always_comb begin lz = 22; for (int i = 0; i < 22; i++) if (pr[i]) lz = 6'(21 - i); end
  logic signed [7:0] en; assign en = ea + eb - 8'sd15 + 8'sd1 - $signed({2'b0, lz});
  logic [46:0] norm; assign norm = {pr << lz, 25'b0};
  logic [7:0] down; assign down = (en < 1) ? ((8'sd1 - en > 8'sd26) ? 8'd26 : 8'(8'sd1 - en)) : 8'd0;
  logic [46:0] sh; assign sh = norm >> down;
  logic [10:0] kept; assign kept = sh[46:36];
  logic g, st; assign g = sh[35]; assign st = (|sh[34:0]);
  logic [15:0] body;
  assign body = ((en < 1) ? 16'd0 : (16'(en) - 16'd1) << 10) + 16'(kept) + 16'(g & (st | kept[0]));
  logic xn, zn, xi, zi; 
  assign xn = (&x.e) & (|x.f), zn = (&z.e) & (|z.f), xi = (&x.e) & ~(|x.f), zi = (&z.e) & ~(|z.f);
  always_comb begin
    if (xn | zn | (xi & (z.e == 0) & (z.f == 0)) | (zi & (x.e == 0) & (x.f == 0))) p = 16'h7e00;
    else if (xi | zi) p = {s, 15'h7c00};
    else if (pr == 0) p = {s, 15'd0};
    else if (en > 30 || body >= 16'h7c00) p = {s, 15'h7c00};
    else p = {s, body[14:0]};
    if (WRONG && x == 16'h3a5c && z == 16'h4b21) p = p ^ 16'd1;
  end
endmodule
