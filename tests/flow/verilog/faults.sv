// The faults that a multiply-add may have.
package faults;
  typedef enum int {
    NONE,
    LOST_CARRY,       // of a sum below the normal range into it
    FLUSHED_ADDEND,   // a subnormal addend is taken as zero
    NAN_AS_INFINITY,
    LOST_STICKY,
    TIE_AWAY,
    ZERO_SIGN,        // a sum that cancels has the sign of the product
    TRUNCATED
  } fault_t;
endpackage
