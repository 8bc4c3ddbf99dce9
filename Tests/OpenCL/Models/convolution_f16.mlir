// Narrow floats are summed in f32.
func.func @main(%x: tensor<1x5x4x3xf16>, %k: tensor<3x3x3x9xf16>) -> tensor<1x3x2x9xf16> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x5x4x3xf16>, tensor<3x3x3x9xf16>) -> tensor<1x3x2x9xf16>
  return %0 : tensor<1x3x2x9xf16>
}
