#include <algorithm>
#include <initializer_list>

#include "core/args.h"
#include "core/family.h"
#include "core/resident.h"
#include "ops/random/random.h"

namespace corundum::random {
namespace {

enum class Form : uint8_t { fill, strided, dropout, chances, rrelu, serial, serial_chances };

struct KeyBytes {
  Form form;
  Kind kind;
  Dtype dtype;
  uint8_t vector; // neighbours that a lane draws at once
  uint8_t rank;   // strided: the rank class
  bool apart;     // dropout: drawn one by one
  bool wide;      // chances: of f64
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

struct KindRow {
  const char *name, *philox, *serial; // templates of fill.kernel.h and serial.kernel.h; no second one: not on CPUs
};
constexpr KindRow kinds[] = {
    {"uniform", "Uniform", "SerialUniform"},
    {"normal", "Normal", nullptr},
    {"log_normal", "LogNormal", nullptr},
    {"exponential", "ExponentialNumber", nullptr},
    {"cauchy", "Cauchy", nullptr},
    {"geometric", "Geometric", nullptr},
    {"bernoulli", "Bernoulli", "SerialBernoulli"},
    {"integers", "Integers", "SerialIntegers"},
    {"wide_integers", "Integers", "SerialIntegers"},
    {"any_integer", "AnyInteger", "SerialAnyInteger"},
};
static_assert(std::size(kinds) == static_cast<size_t>(Kind::count));
const KindRow& row_of(Kind kind) { return kinds[static_cast<size_t>(kind)]; }

bool is_integer(Kind kind) { return kind >= Kind::integers; }

// The type that a distribution computes with.
std::string compute_type(Kind kind, Dtype dtype) {
  if (is_integer(kind)) return kind == Kind::integers ? "cor::u32" : "cor::u64";
  return dtype == Dtype::float64 ? "double" : "float";
}

class RandomFamily : public Family {
 public:
  RandomFamily() : Family("random") {}

  KernelSource source(const KernelKey& key, const Chip&) const override {
    const KeyBytes k = unpack(key);
    const std::string entry = "corundum_" + name_of(k), type = info(k.dtype).kernel_type;
    const std::string file = k.form <= Form::strided ? "fill" : k.form <= Form::rrelu ? "masks" : "serial";
    return {entry, "#include \"ops/random/" + file + ".kernel.h\"\nusing namespace cor;\n" + body_of(k, entry, type)};
  }
  std::string describe(const KernelKey& key) const override { return "random/" + name_of(unpack(key)); }

  static KernelKey pack(const KeyBytes& k);

 private:
  static KeyBytes unpack(const KernelKey& key) {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    return k;
  }
  static std::string name_of(const KeyBytes& k) {
    const std::string type = info(k.dtype).short_name, vector = "_v" + std::to_string(k.vector);
    switch (k.form) {
      case Form::fill:
        return std::string(row_of(k.kind).name) + "_" + type + vector;
      case Form::strided:
        return std::string(row_of(k.kind).name) + "_" + type + "_rank" + std::to_string(k.rank);
      case Form::dropout:
        return "dropout_" + type + vector + (k.apart ? "_apart" : "");
      case Form::chances:
        return "chances_" + type + vector;
      case Form::rrelu:
        return "rrelu_" + type + vector;
      case Form::serial:
        return std::string("serial_") + row_of(k.kind).name + "_" + type;
      case Form::serial_chances:
        break;
    }
    return "serial_chances_" + type + (k.wide ? "_f64" : "_f32");
  }

  static std::string draws(const std::string& entry, const std::string& args, const std::string& draw, bool apart, int vector) {
    return "COR_DRAWS(" + entry + ", " + args + ", " + draw + ", Served::" + (apart ? "apart" : "neighbours") + ", " +
           std::to_string(vector) + ", Body)\n";
  }
  static std::string body_of(const KeyBytes& k, const std::string& entry, const std::string& type) {
    const std::string compute = compute_type(k.kind, k.dtype), real = info(k.dtype).compute_type;
    const std::string chance = k.wide ? "double" : "float";
    switch (k.form) {
      case Form::fill:
      case Form::strided: {
        const std::string body = "using Body = Fill<" + type + ", " + compute + ", " + row_of(k.kind).philox + ">;\n";
        const std::string args = k.form == Form::fill ? "FillArgs" : "StridedFillArgs<" + std::to_string(k.rank) + ">";
        return body + draws(entry, args, "Body::Draw", true, k.vector);
      }
      case Form::dropout:
        return "using Body = Dropout<" + type + ", " + real + ">;\n" +
               draws(entry, "DropoutArgs", "UniformFloats", k.apart, k.vector);
      case Form::chances:
        return "using Body = Chances<" + type + ", " + chance + ">;\n" +
               draws(entry, "ChancesArgs", "UniformFloats", false, k.vector);
      case Form::rrelu:
        return "using Body = Rrelu<" + type + ", " + real + ">;\n" + draws(entry, "RreluArgs", "Body::Draw", true, k.vector);
      case Form::serial:
        return "COR_FILL_SERIALLY(" + entry + ", " + type + ", " + row_of(k.kind).serial + "<" + type + ", " +
               (is_integer(k.kind) ? compute : real_of(k.dtype)) + ">)\n";
      case Form::serial_chances:
        break;
    }
    return "COR_CHANCES_SERIALLY(" + entry + ", " + type + ", " + chance + ")\n";
  }
  static std::string real_of(Dtype dtype) { return compute_type(Kind::uniform, dtype); }
};
const RandomFamily family_instance;

KernelKey RandomFamily::pack(const KeyBytes& k) {
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  return key;
}

uint64_t real_slot(double value, Dtype dtype) {
  return slot_of(Scalar::of(value), dtype == Dtype::float64 ? Dtype::float64 : Dtype::float32);
}

void put_parameters(const Distribution& d, Dtype dtype, ArgsWriter& args) {
  if (is_integer(d.kind)) {
    args.put(d.range);
    args.put(d.from);
    args.put(int64_t{0});
    return;
  }
  const bool inverse = d.kind == Kind::exponential;
  const double scale = dtype == Dtype::float64 ? -1.0 / d.real[0] : -1.0f / static_cast<float>(d.real[0]);
  args.put(real_slot(inverse ? scale : d.real[0], dtype));
  args.put(real_slot(d.real[1], dtype));
  args.put(real_slot(d.real[2], dtype));
}

int64_t pieces(int64_t n, int64_t of) { return (n + of - 1) / of; }

// cor::DrawArgs. `line`: lanes that one round of ATen's loop has; a round is `round` elements. `waves` times as many lanes as the
// chip holds at once share the rounds: several where they wait for memory.
struct Draws {
  const PhiloxState& state;
  int64_t n, threads, round, line, waves = 1;

  int64_t slices(const Chip& chip) const {
    const int64_t lanes = waves * chip.multiprocessors * resident_threads(chip);
    return std::clamp<int64_t>(lanes / line, 1, pieces(n, round));
  }
  void put(const Chip& chip, ArgsWriter& args) const {
    args.put(state.seed);
    args.put(state.offset);
    args.put(state.later);
    args.put(int64_t{state.captured});
    args.put(n);
    args.put(threads);
    args.put(slices(chip));
    args.put(Divider(line));
  }
};
Status add(const KeyBytes& k, const Draws& draws, const ArgsWriter& args, const Chip& chip, LaunchList& list) {
  const int64_t lanes = draws.line * draws.slices(chip);
  if (lanes >= int64_t{1} << 30) return Status::refuse("more blocks than a grid holds");
  list.add(family_instance.pack(k), static_cast<uint32_t>(pieces(lanes, 256)), chip.simt ? 256 : 1, args.data(), args.size());
  return Status();
}

// Draws of elements that are `threads` apart, `vector` neighbours a lane.
Draws apart(const Chip& chip, const PhiloxState& state, int64_t n, int per_call, int vector) {
  const int64_t threads = policy(chip, n, per_call).threads;
  return {state, n, threads, threads * per_call, threads / vector};
}

bool is_aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

// Neighbours that a lane draws at once, up to 16 bytes and `most`. One, where ATen's threads have one number each: then more lanes
// are better.
int neighbours(const Chip& chip, int64_t n, int per_call, Dtype dtype, int most, std::initializer_list<const void*> addresses) {
  if (n <= policy(chip, n, per_call).threads) return 1;
  const int vector = std::min(most, static_cast<int>(16 / size_of(dtype)));
  for (const void* p : addresses)
    if (!is_aligned(p, static_cast<size_t>(vector) * size_of(dtype))) return 1;
  return vector;
}

Status require_floating(Dtype dtype) {
  return is_floating(dtype) && size_of(dtype) >= 2 ? Status() : Status::refuse("no kernel for this dtype");
}

} // namespace

int numbers_a_call(Kind kind, Dtype dtype) {
  if (is_integer(kind)) return kind == Kind::integers ? 4 : 2;
  return dtype == Dtype::float64 ? 2 : 4;
}

// As ATen's calc_execution_policy: blocks of 256 threads, as many as the chip holds at once, 4 words a call.
Policy policy(const Chip& chip, int64_t n, int numbers) {
  const int64_t most = int64_t{chip.multiprocessors} * (resident_threads(chip) / 256);
  const int64_t threads = 256 * std::min(pieces(n, 256), most);
  return {threads, static_cast<uint64_t>((n - 1) / (threads * numbers) + 1) * 4};
}

Status plan_fill(const Chip& chip, const Fill& fill, const PhiloxState& state, LaunchList& list) {
  if (is_complex(fill.dtype) || (size_of(fill.dtype) == 1 && is_floating(fill.dtype)))
    return Status::refuse("no kernel for this dtype");
  if (fill.n == 0) return Status();
  const Kind kind = fill.distribution.kind;
  const int per_call = numbers_a_call(kind, fill.dtype);
  const bool strided = fill.rank != 0;
  // Eight of the long ones would take 250 ms to compile.
  const bool is_long = kind == Kind::normal || kind == Kind::log_normal || kind == Kind::geometric || kind == Kind::cauchy;
  const int vector = strided ? 1 : neighbours(chip, fill.n, per_call, fill.dtype, is_long ? 4 : 8, {fill.out});
  const Draws draws = apart(chip, state, fill.n, per_call, vector);
  ArgsWriter args; // member by member, as FillArgs has them
  draws.put(chip, args);
  args.put(static_cast<const void*>(fill.out));
  put_parameters(fill.distribution, fill.dtype, args);
  KeyBytes k{strided ? Form::strided : Form::fill, kind, fill.dtype, static_cast<uint8_t>(vector), 0, false, false};
  if (strided) {
    DimList<1, 16> dims;
    const auto size = static_cast<int64_t>(size_of(fill.dtype));
    for (int d = 0; d < fill.rank; ++d) {
      const int64_t stride = fill.strides[d] / size;
      if (!dims.add(fill.sizes[d], &stride)) return Status::refuse("more than 16 dimensions that do not merge");
    }
    k.rank = static_cast<uint8_t>(rank_class(dims.rank));
    args.put(dims, k.rank);
  }
  return add(k, draws, args, chip, list);
}

Status plan_dropout(const Chip& chip, const Dropout& call, const PhiloxState& state, LaunchList& list) {
  if (Status s = require_floating(call.dtype); !s) return s;
  if (call.n == 0) return Status();
  const bool one_by_one = call.vector == 1;
  const int vector = one_by_one ? neighbours(chip, call.n, 4, call.dtype, 4, {call.in, call.out, call.mask}) : call.vector;
  const int64_t threads = policy(chip, call.n, 4).threads;
  const Draws draws =
      one_by_one ? apart(chip, state, call.n, 4, vector) : Draws{state, call.n, threads, threads * vector, threads, 4};
  ArgsWriter args; // member by member, as DropoutArgs has them
  draws.put(chip, args);
  for (const void* p : {call.in, static_cast<const void*>(call.out), static_cast<const void*>(call.mask)}) args.put(p);
  const double keep = call.dtype == Dtype::float64 ? call.keep : static_cast<float>(call.keep);
  args.put(real_slot(keep, call.dtype));
  args.put(real_slot(1.0 / keep, call.dtype));
  return add({Form::dropout, Kind::uniform, call.dtype, static_cast<uint8_t>(vector), 0, one_by_one, false}, draws, args, chip,
             list);
}

Status plan_chances(const Chip& chip, const Chances& call, const PhiloxState& state, LaunchList& list) {
  if (call.n == 0) return Status();
  const bool wide = call.chance_dtype == Dtype::float64;
  const bool aligned = is_aligned(call.out, 4 * size_of(call.dtype)) && is_aligned(call.chances, 4 * size_of(call.chance_dtype));
  if (!aligned) return Status::refuse("an address is not a multiple of a vector");
  const int64_t threads = pieces(call.n, 4);
  const Draws draws{state, call.n, threads, 4 * threads, threads};
  ArgsWriter args; // member by member, as ChancesArgs has them
  draws.put(chip, args);
  args.put(call.chances);
  args.put(static_cast<const void*>(call.out));
  return add({Form::chances, Kind::bernoulli, call.dtype, 4, 0, false, wide}, draws, args, chip, list);
}

Status plan_rrelu(const Chip& chip, const Rrelu& call, const PhiloxState& state, LaunchList& list) {
  if (Status s = require_floating(call.dtype); !s) return s;
  if (call.n == 0) return Status();
  const int per_call = numbers_a_call(Kind::uniform, call.dtype);
  const int vector = neighbours(chip, call.n, per_call, call.dtype, 4, {call.in, call.out, call.noise});
  const Draws draws = apart(chip, state, call.n, per_call, vector);
  ArgsWriter args; // member by member, as RreluArgs has them
  draws.put(chip, args);
  for (const void* p : {call.in, static_cast<const void*>(call.out), static_cast<const void*>(call.noise)}) args.put(p);
  args.put(real_slot(call.lower, Dtype::float64));
  args.put(real_slot(call.upper - call.lower, Dtype::float64));
  return add({Form::rrelu, Kind::uniform, call.dtype, static_cast<uint8_t>(vector), 0, true, false}, draws, args, chip, list);
}

bool is_serial(Kind kind) { return row_of(kind).serial != nullptr; }

namespace {

// One block: a word depends on the ones before it.
Status add_serial(const KeyBytes& k, MersenneState* state, int64_t n, void* out, const void* in, const uint64_t (&p)[3],
                  int64_t* valid, LaunchList& list) {
  ArgsWriter args; // member by member, as SerialArgs has them
  args.put(static_cast<const void*>(state));
  args.put(n);
  args.put(static_cast<const void*>(out));
  args.put(in);
  for (const uint64_t slot : p) args.put(slot);
  args.put(static_cast<const void*>(valid));
  list.add(family_instance.pack(k), 1, 1, args.data(), args.size());
  return Status();
}

} // namespace

Status plan_serial(const Chip& chip, const Fill& fill, MersenneState* state, LaunchList& list) {
  const Distribution& d = fill.distribution;
  if (chip.simt || fill.rank != 0 || !is_serial(d.kind)) return Status::refuse("no kernel for this distribution on this device");
  if (fill.n == 0) return Status();
  uint64_t p[3] = {d.range, static_cast<uint64_t>(d.from), 0};
  if (!is_integer(d.kind)) {
    p[0] = real_slot(d.real[0], d.kind == Kind::bernoulli ? Dtype::float64 : fill.dtype);
    p[1] = real_slot(d.real[1], fill.dtype);
  }
  return add_serial({Form::serial, d.kind, fill.dtype, 1, 0, false, false}, state, fill.n, fill.out, nullptr, p, nullptr, list);
}

Status plan_serial_chances(const Chip& chip, const Chances& call, MersenneState* state, LaunchList& list) {
  if (chip.simt) return Status::refuse("no kernel for this distribution on this device");
  if (call.n == 0) return Status();
  const KeyBytes k{Form::serial_chances, Kind::bernoulli, call.dtype, 1, 0, false, call.chance_dtype == Dtype::float64};
  return add_serial(k, state, call.n, call.out, call.chances, {0, 0, 0}, call.valid, list);
}

} // namespace corundum::random
