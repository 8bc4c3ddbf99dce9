// Strides, and padding that differs on each side.
// kernels: kernel .* items
func.func @main(%x: tensor<1x7x6x3xf32>, %k: tensor<3x2x3x5xf32>) -> tensor<1x4x4x5xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = [[1, 1], [2, 0]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x7x6x3xf32>, tensor<3x2x3x5xf32>) -> tensor<1x4x4x5xf32>
  return %0 : tensor<1x4x4x5xf32>
}
