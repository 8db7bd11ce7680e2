// ATen's composites whose parts are ours: what `ops` lists with `via`. What is a composite is read from the dispatcher.
#include "torch/registry.h"

namespace corundum {

const std::vector<Composite>& composites() {
  static const auto* rows = new std::vector<Composite>{
      {"softmax.int", {"_softmax"}},
      {"special_softmax", {"_softmax"}},
      {"log_softmax.int", {"_log_softmax"}},
      {"special_log_softmax", {"_log_softmax"}},
      {"layer_norm", {"native_layer_norm"}},
      {"clone", {"copy_"}},
      {"contiguous", {"copy_"}},
      {"_to_copy", {"copy_"}},
      {"to.dtype", {"copy_"}},
      {"to.dtype_layout", {"copy_"}},
      {"to.device", {"copy_"}},
      {"to.other", {"copy_"}},
      {"type_as", {"copy_"}},
      {"add.Scalar", {"add.Tensor"}},
      {"add_.Scalar", {"add_.Tensor"}},
      {"sub.Scalar", {"sub.Tensor"}},
      {"sub_.Scalar", {"sub_.Tensor"}},
      {"rsub.Scalar", {"sub.Tensor"}},
      {"subtract.Tensor", {"sub.Tensor"}},
      {"subtract_.Tensor", {"sub_.Tensor"}},
      {"subtract.out", {"sub.out"}},
      {"mul.Scalar", {"mul.Tensor"}},
      {"mul_.Scalar", {"mul_.Tensor"}},
      {"multiply.Tensor", {"mul.Tensor"}},
      {"multiply_.Tensor", {"mul_.Tensor"}},
      {"multiply.out", {"mul.out"}},
      {"div.Scalar", {"div.Tensor"}},
      {"div_.Scalar", {"div_.Tensor"}},
      {"div.Scalar_mode", {"div.Tensor_mode"}},
      {"div_.Scalar_mode", {"div_.Tensor_mode"}},
      {"divide.Tensor", {"div.Tensor"}},
      {"divide_.Tensor", {"div_.Tensor"}},
      {"divide.out", {"div.out"}},
      {"divide.Tensor_mode", {"div.Tensor_mode"}},
      {"divide_.Tensor_mode", {"div_.Tensor_mode"}},
      {"true_divide.Tensor", {"div.Tensor"}},
      {"true_divide_.Tensor", {"div_.Tensor"}},
      {"true_divide.out", {"div.out"}},
      {"clip", {"clamp"}},
      {"clip_", {"clamp_"}},
      {"clip.out", {"clamp.out"}},
      {"clip.Tensor", {"clamp.Tensor"}},
      {"clip_.Tensor", {"clamp_.Tensor"}},
      {"clip.Tensor_out", {"clamp.Tensor_out"}},
      {"linalg_norm", {"linalg_vector_norm"}},
  };
  return *rows;
}

} // namespace corundum
