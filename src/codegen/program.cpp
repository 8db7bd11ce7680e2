#include "codegen/program.h"

namespace corundum::codegen {
namespace {

const char* type_text(Dtype computed) {
  return computed == Dtype::float64 ? "double" : computed == Dtype::float32 ? "float" : computed == Dtype::int64 ? "i64" : "i32";
}

} // namespace

// FNV-1a, whose bits are then mixed (the finalizer of MurmurHash3). Program texts are short.
uint64_t digest_of(const std::string& text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
  return h ^ (h >> 33);
}

bool program_takes(Dtype dtype) { return dtype <= Dtype::float64 && !(dtype >= Dtype::uint16 && dtype <= Dtype::uint64); }

Dtype computed_in(Dtype dtype) {
  if (dtype == Dtype::float64 || dtype == Dtype::int64) return dtype;
  return is_floating(dtype) ? Dtype::float32 : Dtype::int32;
}

std::string Program::identity() const {
  std::string text = name + "|" + std::to_string(numbers) + "|" + info(number_dtype).name + "|" + std::to_string(outputs) + "|";
  for (const bool b : is_bool) text += b ? 'b' : 'x';
  for (const Step& step : steps)
    text += std::string("|") + info(step.dtype).name + (step.rounds ? "!" : "") + "|" + step.value.canonical();
  return text;
}

void write_program(const Program& p, Dtype common, const std::vector<Dtype>& stored, PointwiseText* text) {
  const auto meant = [&](Dtype dtype) { return dtype == Dtype::invalid ? common : dtype; };
  // What each name is in the text, and of which type; bool where it is a condition.
  std::vector<std::string> names, types;
  for (int i = 0; i < p.inputs(); ++i) {
    PointwiseInput& in = text->inputs[static_cast<size_t>(i)];
    in.stored = info(stored[static_cast<size_t>(i)]).kernel_type;
    in.value = p.is_bool[static_cast<size_t>(i)] ? "bool" : type_text(computed_in(stored[static_cast<size_t>(i)]));
    names.push_back(input_name(i));
    types.push_back(in.value);
  }
  text->scalars = p.numbers;
  text->scalar = type_text(computed_in(meant(p.number_dtype)));
  text->common = "float"; // no expression of ours names it
  for (int i = 0; i < p.numbers; ++i) {
    names.push_back("s" + std::to_string(i));
    types.push_back(text->scalar);
  }
  for (size_t i = 0; i < p.steps.size(); ++i) {
    const Program::Step& step = p.steps[i];
    const Dtype dtype = meant(step.dtype), computed = computed_in(dtype);
    const std::string type = type_text(computed);
    std::string value = step.value.kernel_text(type, !is_floating(computed), [&](int name) {
      const auto n = static_cast<size_t>(name);
      return types[n] == type || types[n] == "bool" ? names[n] : "convert<" + type + ">(" + names[n] + ")";
    });
    if (step.rounds && !step.value.is_bool())
      value = "convert<" + type + ">(convert<" + info(dtype).kernel_type + ">(" + value + "))";
    names.push_back("t" + std::to_string(i));
    types.push_back(step.value.is_bool() ? "bool" : type);
    text->statements += "    const " + types.back() + " " + names.back() + " = " + value + ";\n";
  }
  for (int o = 0; o < p.outputs; ++o) {
    const size_t name = names.size() - static_cast<size_t>(p.outputs - o);
    text->outputs[static_cast<size_t>(o)] = {info(stored[static_cast<size_t>(p.inputs() + o)]).kernel_type, types[name]};
    text->expression += (o ? ", " : "") + names[name];
  }
}

} // namespace corundum::codegen
