// Calls a Verilated unit on arrays of codes.
//
// unit.h is generated beside this file: the model (Vmodel.h); its form, which is COMBINATIONAL,
// CLOCKED or STREAM (the clocks after the last result in which no other may come); whether a
// model's present inputs are ones that a result follows upon (COMPLETE(model)); and the lists
// INPUTS(X) and RESULTS(X) of X(index, port). A port takes its codes from a column: an array of
// the port's own type, or of 32-bit words, lowest first, for ports wider than 64 bits.

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "unit.h"
#include "verilated.h"

namespace {

template <class Code>
void load(Code& port, const void* column, size_t row) {
    port = static_cast<const Code*>(column)[row];
}

template <class Code>
void store(const Code& port, void* column, size_t row) {
    static_cast<Code*>(column)[row] = port;
}

template <size_t words>
void load(VlWide<words>& port, const void* column, size_t row) {
    std::memcpy(port.data(), static_cast<const EData*>(column) + row * words, sizeof port);
}

template <size_t words>
void store(const VlWide<words>& port, void* column, size_t row) {
    std::memcpy(static_cast<EData*>(column) + row * words, port.data(), sizeof port);
}

template <class Code>
bool same(const Code& port, const void* column, size_t row) {
    return static_cast<const Code*>(column)[row] == port;
}

template <size_t words>
bool same(const VlWide<words>& port, const void* column, size_t row) {
    const EData* there = static_cast<const EData*>(column) + row * words;
    return std::memcmp(there, port.data(), sizeof port) == 0;
}

void load_inputs(Vmodel& model, const void* const* inputs, size_t row) {
#define X(index, port) load(model.port, inputs[index], row);
    INPUTS(X)
#undef X
}

void store_results(const Vmodel& model, void* const* results, size_t row) {
#define X(index, port) store(model.port, results[index], row);
    RESULTS(X)
#undef X
}

bool same_results(const Vmodel& model, const void* const* results, size_t row) {
    bool all = true;
#define X(index, port) all = all && same(model.port, results[index], row);
    RESULTS(X)
#undef X
    return all;
}

// A model of its own for each call: calls may run side by side, and none sees another's state.
struct Simulation {
    VerilatedContext context;
    std::unique_ptr<Vmodel> model;

    Simulation() {
        context.randReset(2);  // registers without a reset start with (the same) random values
        context.randSeed(1);
        model = std::make_unique<Vmodel>(&context);
    }
};

struct Counts {
    uint64_t clocks = 0, sent = 0, received = 0;
};

#if defined COMBINATIONAL

void run(const void* const* inputs, void* const* results, uint64_t rows, uint64_t, const uint64_t*,
         Counts&) {
    Simulation simulation;
    Vmodel& model = *simulation.model;
    for (uint64_t row = 0; row < rows; ++row) {
        load_inputs(model, inputs, row);
        model.eval();
        store_results(model, results, row);
    }
}

#else

class Clocked {
protected:
    Simulation simulation;
    Vmodel& model = *simulation.model;

    // Lets the inputs settle before the rising edge at which what then holds counts.
    void settle() {
        model.clk = 0;
        model.eval();
    }

    void rise() {
        model.clk = 1;
        model.eval();
    }

    void reset() {
        model.rst = 1;
        for (int clock = 0; clock < 2; ++clock) {
            settle();
            rise();
        }
        model.rst = 0;
    }
};

#if defined CLOCKED

// Operands at every clock, the last ones for longer, and what the results' ports show before its
// rising edge: there are as many rows of results as clocks.
class Pipeline : Clocked {
public:
    void run(const void* const* inputs, void* const* results, uint64_t rows, uint64_t clocks) {
        load_inputs(model, inputs, 0);
        reset();
        for (uint64_t clock = 0; clock < clocks; ++clock) {
            if (clock < rows) load_inputs(model, inputs, clock);
            settle();
            store_results(model, results, clock);
            rise();
        }
    }
};

void run(const void* const* inputs, void* const* results, uint64_t rows, uint64_t result_rows,
         const uint64_t*, Counts&) {
    if (rows > 0) Pipeline().run(inputs, results, rows, result_rows);
}

#else

// xorshift64*: the same pauses for the same seed on every machine.
class Pauses {
    uint64_t state;
    uint64_t threshold;

public:
    Pauses(uint64_t seed, uint64_t threshold) : state(seed), threshold(threshold) {}

    bool next() {
        if (threshold == 0) return false;
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (state * 0x2545f4914f6cdd1dULL) >> 32 < threshold;
    }
};

class Stream : Clocked {
public:
    // Reset, with operands that are not offered yet.
    Stream(const void* const* inputs, uint64_t rows) {
        model.i_valid = 0;
        model.o_ready = 0;
        if (rows > 0) load_inputs(model, inputs, 0);
        reset();
    }

    // One transfer for each row, and the clocks from the first possible one to the last result.
    void run(const void* const* inputs, void* const* results, uint64_t rows, uint64_t result_rows,
             Pauses idle, Pauses stall, uint64_t patience, Counts& counts) {
        auto& [clocks, sent, received] = counts;
        uint64_t complete = 0, last_progress = 0;
        bool waits = false;  // a result that was offered and not taken
        for (; received < result_rows; ++clocks) {
            if (clocks - last_progress > patience) {
                throw std::runtime_error("no transfer in " + std::to_string(patience) +
                                         " clocks, after " + std::to_string(sent) +
                                         " operands and " + std::to_string(received) +
                                         " results of " + std::to_string(result_rows));
            }
            // An offer stands until it is accepted
            if (!model.i_valid && sent < rows && !idle.next()) {
                model.i_valid = 1;
                load_inputs(model, inputs, sent);
            }
            model.o_ready = !stall.next();
            settle();
            const bool accepted = model.i_valid && model.i_ready;
            complete += accepted && COMPLETE(model);
            if (waits && !(model.o_valid && same_results(model, results, received))) {
                throw std::runtime_error("result " + std::to_string(received + 1) + " was " +
                                         (model.o_valid ? "changed" : "withdrawn") +
                                         " while it waited");
            }
            waits = model.o_valid && !model.o_ready;
            if (model.o_valid) store_results(model, results, received);
            if (model.o_valid && model.o_ready) {
                ++received;
                last_progress = clocks;
            }
            if (received > complete) {
                throw std::runtime_error("result " + std::to_string(received) + " came after " +
                                         std::to_string(sent) + " operands");
            }
            rise();
            if (accepted) {
                ++sent;
                last_progress = clocks;
                model.i_valid = 0;
            }
        }
        expect_silence();
    }

    void expect_silence() {
        model.o_ready = 1;
        for (int clock = 0; clock < STREAM; ++clock) {
            settle();
            if (model.o_valid) throw std::runtime_error("more results came than operands went in");
            rise();
        }
    }
};

// settings: chances of idling and of stalling in 2^-32, their seed, clocks to wait for a transfer
void run(const void* const* inputs, void* const* results, uint64_t rows, uint64_t result_rows,
         const uint64_t* settings, Counts& counts) {
    const uint64_t seed = settings[2] * 2 + 1;
    Stream(inputs, rows)
        .run(inputs, results, rows, result_rows, Pauses(seed, settings[0]),
             Pauses(~seed, settings[1]), settings[3], counts);
}

#endif
#endif

}  // namespace

// Verilator's own handlers end the process.
void vl_fatal(const char*, int, const char*, const char* message) {
    throw std::runtime_error(message);
}
void vl_stop(const char*, int, const char*) { throw std::runtime_error("$stop was called"); }
void vl_finish(const char*, int, const char*) { throw std::runtime_error("$finish was called"); }

// Returns whether all went well; otherwise `message` (of 256 bytes) says why not. `counts`: clocks,
// transfers in, and out.
extern "C" __attribute__((visibility("default"))) int simulate(
    const void* const* inputs, void* const* results, uint64_t rows, uint64_t result_rows,
    const uint64_t* settings, uint64_t* counts, char* message) {
    Counts found;
    bool went_well = true;
    try {
        run(inputs, results, rows, result_rows, settings, found);
    } catch (const std::exception& error) {
        std::strncpy(message, error.what(), 255);
        went_well = false;
    }
    counts[0] = found.clocks;
    counts[1] = found.sent;
    counts[2] = found.received;
    return went_well;
}
