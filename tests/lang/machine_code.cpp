#include "lang/machine_code.h"

#include <cstdlib>

#include "jit/build.h"
#include "jit/process.h"
#include "jit/support.h"

namespace corundum::test {

std::vector<Compiled> compile_plan(const Chip& chip, const LaunchList& list) {
  std::vector<Compiled> all;
  for (uint32_t i = 0; i < list.size(); ++i) {
    Recipe recipe;
    std::vector<uint8_t> binary;
    std::string log;
    bool interrupted = false;
    const Status made = make_recipe(*backend(chip.backend), chip, list[i].key, &recipe);
    EXPECT_TRUE(made.ok()) << made.reason();
    const Status s = recipe.backend->compile({&chip, recipe.entry, recipe.text}, &binary, &log, &interrupted);
    EXPECT_TRUE(s.ok()) << recipe.name << " for " << chip.target << ": " << s.reason() << "\n" << log;
    if (made && s) all.push_back({recipe.entry, binary});
  }
  return all;
}

std::string print_code(std::vector<std::string> command, const std::vector<uint8_t>& binary) {
  Directory directory;
  command.push_back(directory / "kernel");
  write_text(command.back(), std::string(binary.begin(), binary.end()));
  const ProcessResult r = run_process(command);
  EXPECT_EQ(r.exit_code, 0) << r.output;
  return r.output;
}

void for_each_case(const std::vector<std::string>& targets,
                   const std::function<void(const Chip&, const FamilyCase&, const std::vector<Compiled>&)>& check) {
  const char* wish = std::getenv("CORUNDUM_TEST_FULL");
  const bool full = wish && std::string(wish) == "1";
  const std::vector<FamilyCase>& cases = family_cases();
  for (size_t i = 0; i < cases.size(); ++i)
    for (size_t t = 0; t < targets.size(); ++t) {
      if (!full && i % targets.size() != t) continue;
      const Chip& chip = *known_chip(targets[t]);
      SCOPED_TRACE(cases[i].name + " on " + chip.target);
      LaunchList list;
      const Status s = cases[i].plan(chip, list);
      EXPECT_TRUE(s.ok()) << s.reason();
      EXPECT_GT(list.size(), 0u);
      check(chip, cases[i], compile_plan(chip, list));
    }
}

} // namespace corundum::test
