#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"

namespace corundum::reduce {
namespace {

constexpr int max_rank = 16;
using Kept = DimList<2, max_rank>;    // strides of input and output
using Reduced = DimList<1, max_rank>; // strides of the input

enum Phase : uint8_t { whole, first_of_split, last_of_split };

struct KeyBytes {
  uint8_t kind, phase, in, out, compute, kept_rank, reduced_rank, unit, wide;
  RowsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

struct KindInfo {
  const char* name;
  const char* monoid;
  const char* before; // applied to each element
  const char* after;  // applied to the result
};
constexpr KindInfo kinds[] = {
    {"sum", "Sum", "Identity", "Identity"},       {"mean", "Sum", "Identity", "Scaled"}, {"norm0", "Sum", "Norm0", "Identity"},
    {"norm1", "Sum", "Norm1", "Identity"},        {"norm2", "Sum", "Norm2", "Norm2"},    {"norm_inf", "Max", "Norm1", "Identity"},
    {"norm_neg_inf", "Min", "Norm1", "Identity"}, {"norm_p", "Sum", "NormP", "NormP"},
};

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

class ReduceFamily : public Family {
 public:
  ReduceFamily() : Family("reduce") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const KindInfo& kind = kinds[k.kind];
    const char* compute = info(static_cast<Dtype>(k.compute)).kernel_type;
    const auto yes_no = [](bool b) { return b ? "true" : "false"; };
    const std::string entry = "corundum_" + name_of(k);
    std::string text = "#include \"lang/kernel.h\"\n#include \"ops/reduce/reduce.kernel.h\"\n" + pass_type(chip, k.layout);
    if (kind.before == std::string("NormP")) text += "#include \"ops/reduce/norm_p.kernel.h\"\n";
    text += "using Args = ReduceArgs<" + std::to_string(k.kept_rank) + ", " + std::to_string(k.reduced_rank) + ">;\n";
    text += std::string("#define BODY reduce<") + info(static_cast<Dtype>(k.in)).kernel_type + ", " +
            info(static_cast<Dtype>(k.out)).kernel_type + ", " + compute + ", cor::" + kind.monoid + "<" + compute + ">, " +
            (k.phase == last_of_split ? "Identity" : kind.before) + ", " + (k.phase == first_of_split ? "Identity" : kind.after) +
            ", " + yes_no(k.unit) + ", " + yes_no(k.wide) + ">\n";
    return {entry, text + "COR_ROWS(" + entry + ", Pass, Args, (BODY)" + entry_tail(chip, k.layout)};
  }
  std::string describe(const KernelKey& key) const override { return "reduce/" + name_of(unpack(key)); }

 private:
  static std::string name_of(const KeyBytes& k) {
    static const char* const phases[] = {"", "_partial", "_final"};
    return std::string(kinds[k.kind].name) + phases[k.phase] + "_" + info(static_cast<Dtype>(k.in)).short_name + "_to_" +
           info(static_cast<Dtype>(k.out)).short_name + "_" + layout_name(k.layout) + "_k" + std::to_string(k.kept_rank) + "r" +
           std::to_string(k.reduced_rank) + (k.unit ? "" : "_gather") + (k.wide ? "_wide" : "");
  }
};
const ReduceFamily family_instance;

// Kept and reduced dimensions, each fastest first and merged.
Status split_dims(const Call& call, Kept* kept, Reduced* reduced) {
  int order[64];
  for (int d = 0; d < call.in.rank; ++d) order[d] = d;
  const auto speed = [&](int d) { return call.in.strides[d] == 0 ? INT64_MAX : call.in.strides[d]; };
  std::stable_sort(order, order + call.in.rank,
                   [&](int a, int b) { return speed(a) < speed(b) || (speed(a) == speed(b) && a > b); });
  bool room = true;
  for (int i = 0; i < call.in.rank; ++i) {
    const int d = order[i];
    const int64_t both[2] = {call.in.strides[d], call.out.strides[d]};
    room = room && (call.reduced >> d & 1 ? reduced->add(call.in.sizes[d], both) : kept->add(call.in.sizes[d], both));
  }
  return room ? Status() : Status::refuse("more than 16 dimensions that do not merge");
}

// A reduction in canonical form: `columns` kept neighbours side by side, or 1.
struct Form {
  Kept kept;
  Reduced reduced;
  int64_t folds, n, columns = 1;
  double scale; // 1 / elements of a whole fold
  const void* in;
  void* out;
  Dtype in_dtype, out_dtype, compute;
  Kind kind;
  Phase phase = whole;
  bool unit = true, aligned, wide;
  int64_t splits = 1, per_split;
  double p;
};

// Can `vector` neighbours always be had with one access?
bool vectors_fit(const Form& f, int64_t vector) {
  bool ok = reinterpret_cast<uintptr_t>(f.in) % 16 == 0;
  for (int d = 0; d < f.kept.rank; ++d) ok = ok && f.kept.stride[d][0] % vector == 0;
  for (int d = f.columns > 1 ? 0 : 1; d < f.reduced.rank; ++d) ok = ok && f.reduced.stride[d][0] % vector == 0;
  return ok && (f.columns > 1 ? f.columns : f.reduced.rank > 1 ? f.reduced.size[0] : f.n) % vector == 0;
}

void choose_form(const Chip& chip, Form* f) {
  const bool row = f->reduced.rank > 0 && f->reduced.stride[0][0] == 1;
  if (!row && f->kept.rank > 0 && f->kept.stride[0][0] == 1 && f->kept.stride[0][1] == 1) {
    f->columns = f->kept.size[0];
    for (int d = 1; d < f->kept.rank; ++d) {
      f->kept.size[d - 1] = f->kept.size[d];
      std::copy_n(f->kept.stride[d], 2, f->kept.stride[d - 1]);
    }
    --f->kept.rank;
  }
  f->folds = f->kept.count();
  const int64_t vector = chip.simt ? static_cast<int64_t>(chip.vector_bytes / size_of(f->in_dtype)) : 64;
  f->aligned = vectors_fit(*f, f->columns > 1 ? std::min<int64_t>(vector, 4) : vector);
  if (f->columns == 1) f->unit = row && (f->reduced.rank == 1 || (chip.simt ? f->aligned : f->reduced.size[0] % vector == 0));
}

// How many pieces a fold is cut into, by shape and chip alone.
void choose_splits(const Chip& chip, Form* f) {
  int64_t wanted = 1, least;
  if (chip.simt) {
    const int64_t blocks = f->columns > 1 ? f->folds * ((f->columns + 127) / 128) : (f->folds + 3) / 4;
    least = f->columns > 1 ? 64 : 8192;
    wanted = blocks < chip.multiprocessors * 2 ? chip.multiprocessors * 8 / std::max<int64_t>(1, blocks) : 1;
  } else {
    least = f->columns > 1 ? std::max<int64_t>(64, 65536 / f->columns) : 65536;
    wanted = f->folds * std::max<int64_t>(1, f->columns / 64) < 64 ? 64 : 1;
  }
  const int64_t most = f->n / least;
  f->splits = std::clamp<int64_t>(most, 1, std::max<int64_t>(1, wanted));
  f->per_split = f->n;
  if (f->splits > 1) {
    f->per_split = ((f->n + f->splits - 1) / f->splits + 255) / 256 * 256; // a multiple of every access and chunk
    f->splits = (f->n + f->per_split - 1) / f->per_split;
  }
}

Status add_launch(const Chip& chip, const Form& f, LaunchList& list) {
  RowsShape shape{f.folds * f.splits, f.per_split, f.columns};
  shape.widest = size_of(f.in_dtype);
  shape.column = f.columns > 1;
  shape.aligned = f.aligned;
  RowsPlan plan;
  if (Status s = plan_rows(chip, shape, &plan); !s) return s;
  KeyBytes k{static_cast<uint8_t>(f.kind), f.phase, static_cast<uint8_t>(f.in_dtype), static_cast<uint8_t>(f.out_dtype),
             static_cast<uint8_t>(f.compute)};
  k.kept_rank = static_cast<uint8_t>(rank_class(f.kept.rank));
  k.reduced_rank = static_cast<uint8_t>(rank_class(f.reduced.rank));
  k.unit = f.unit;
  k.wide = f.wide;
  k.layout = plan.layout;
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  ArgsWriter args;
  args.put(f.folds * f.splits);
  args.put(f.per_split);
  args.put(f.columns);
  args.put(f.in);
  args.put(static_cast<const void*>(f.out));
  args.put(slot_of(Scalar::of(f.scale), f.compute));
  args.put(slot_of(Scalar::of(f.p), f.compute));
  args.put(f.n);
  args.put(f.splits);
  args.put(f.kept, k.kept_rank);
  args.put(f.reduced, k.reduced_rank);
  add_rows(chip, key, plan, args.data(), args.size(), list);
  return Status();
}

// Offsets of a contiguous [folds, per_fold] tensor, dimension by dimension of `kept`, into strides `which`.
void make_contiguous(Kept* kept, int which, int64_t per_fold) {
  for (int d = 0; d < kept->rank; ++d) {
    kept->stride[d][which] = per_fold;
    per_fold *= kept->size[d];
  }
}

Dtype compute_dtype(Dtype out) {
  if (is_integral(out)) return Dtype::int64;
  return out == Dtype::float64 ? Dtype::float64 : Dtype::float32;
}

constexpr size_t in_at = 3 * 8, out_at = 4 * 8; // offsets of the pointers in the arguments

Status plan_split(const Chip& chip, Form f, LaunchList& list) {
  Form last = f;
  f.phase = first_of_split;
  f.out = nullptr; // an offset into the workspace
  f.out_dtype = f.compute;
  make_contiguous(&f.kept, 1, f.splits * f.columns);
  list.workspace_bytes = static_cast<uint64_t>(f.folds) * f.splits * f.columns * size_of(f.compute);
  if (Status s = add_launch(chip, f, list); !s) return s;
  list[list.size() - 1].workspace_at = out_at;

  last.phase = last_of_split;
  last.in = nullptr;
  last.in_dtype = f.compute;
  last.n = last.per_split = f.splits;
  last.splits = 1;
  last.reduced.rank = 0;
  const int64_t step = f.columns;
  last.reduced.add(f.splits, &step);
  make_contiguous(&last.kept, 0, f.splits * f.columns);
  last.unit = true;
  const int64_t vector = static_cast<int64_t>(16 / size_of(f.compute));
  last.aligned = vectors_fit(last, last.columns > 1 ? std::min<int64_t>(vector, 4) : vector);
  if (Status s = add_launch(chip, last, list); !s) return s;
  list[list.size() - 1].workspace_at = in_at;
  return Status();
}

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  const auto covered = [](Dtype d) { return d <= Dtype::int64 || (d >= Dtype::float16 && d <= Dtype::float64); };
  if (!covered(call.in.dtype) || !covered(call.out.dtype)) return Status::refuse("no kernel for this dtype");
  if (call.kind != Kind::sum && is_integral(call.out.dtype)) return Status::refuse("the operator is not defined for this dtype");
  if (call.in.rank > 64) return Status::refuse("more than 64 dimensions");
  Form f;
  if (Status s = split_dims(call, &f.kept, &f.reduced); !s) return s;
  f.kind = call.kind;
  f.in = call.in.data;
  f.out = call.out.data;
  f.in_dtype = call.in.dtype;
  f.out_dtype = call.out.dtype;
  f.compute = compute_dtype(call.out.dtype);
  f.p = call.p;
  f.n = f.reduced.count();
  f.scale = 1.0 / static_cast<double>(f.n);
  if (f.kept.count() == 0) return Status();
  if (f.n == 0) {
    if (call.kind == Kind::norm_inf || call.kind == Kind::norm_neg_inf) return Status::refuse("a maximum over no elements");
    f.reduced.rank = 0; // nothing is read; the lists only have to be sane
  }
  f.wide = f.n * f.kept.count() >= (int64_t{1} << 31);
  choose_form(chip, &f);
  choose_splits(chip, &f);
  return f.splits > 1 ? plan_split(chip, f, list) : add_launch(chip, f, list);
}

} // namespace corundum::reduce
