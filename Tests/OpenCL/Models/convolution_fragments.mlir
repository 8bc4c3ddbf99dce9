// A convolution in fragments: channels last, strides, padding, an activation.
// kernels: fragments of f16
func.func @main(%x: tensor<2x7x6x8xf16>, %k: tensor<3x2x8x18xf16>) -> tensor<2x4x4x18xf16> {
  %z = stablehlo.constant dense<0.0> : tensor<2x4x4x18xf16>
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = [[1, 1], [2, 0]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x7x6x8xf16>, tensor<3x2x8x18xf16>) -> tensor<2x4x4x18xf16>
  %1 = stablehlo.maximum %0, %z : tensor<2x4x4x18xf16>
  return %1 : tensor<2x4x4x18xf16>
}
