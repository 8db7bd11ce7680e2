#include "torch/generator.h"

#include <ATen/Context.h>
#include <ATen/cuda/PhiloxCudaState.h>
#include <dlfcn.h>

namespace corundum {

namespace {

// at::CUDAGeneratorImpl::philox_cuda_state. This library links torch's CPU library alone: the one for CUDA is there when a tensor
// is on such a device, and a member function is called as a function of the object (Itanium C++ ABI).
using PhiloxCudaStateOf = at::PhiloxCudaState (*)(at::GeneratorImpl*, uint64_t);

PhiloxCudaStateOf philox_cuda_state() {
  static const auto function = []() -> PhiloxCudaStateOf {
    void* library = dlopen("libtorch_cuda.so", RTLD_NOLOAD | RTLD_LAZY);
    return library ? reinterpret_cast<PhiloxCudaStateOf>(dlsym(library, "_ZN2at17CUDAGeneratorImpl17philox_cuda_stateEm"))
                   : nullptr;
  }();
  return function;
}

} // namespace

Status find_generator(const Target& target, const std::optional<at::Generator>& given, at::GeneratorImpl** generator) {
  *generator = nullptr;
  if (target.device == nullptr) return {};
  const c10::DeviceType type = target.where.type();
  if (type != c10::kCPU && type != c10::kCUDA) return Status::refuse("this device type has random numbers of its own");
  if (type == c10::kCUDA && philox_cuda_state() == nullptr) return Status::refuse("this torch has no such random generator");
  if (given && (!given->defined() || given->device().type() != type))
    return Status::refuse("the generator is of another kind of device");
  *generator =
      given ? given->unsafeGetGeneratorImpl() : at::globalContext().defaultGenerator(target.where).unsafeGetGeneratorImpl();
  return {};
}

random::PhiloxState reserve(at::GeneratorImpl& generator, uint64_t increment) {
  const std::lock_guard<std::mutex> lock(generator.mutex_);
  const at::PhiloxCudaState state = philox_cuda_state()(&generator, increment);
  return {state.seed_.val, state.offset_.val, state.offset_intragraph_, state.captured_};
}

Status prepare(const Target& target, const LaunchList& list) {
  for (uint32_t i = 0; i < list.size(); ++i) {
    const Function* function;
    CORUNDUM_TRY(target.device->obtain(list[i].key, &function));
  }
  return {};
}

} // namespace corundum
