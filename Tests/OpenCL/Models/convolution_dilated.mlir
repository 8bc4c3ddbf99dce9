// Holes in the window and in the input.
// kernels: kernel .* items
func.func @main(%x: tensor<1x4x3x3xf32>, %k: tensor<2x2x3x5xf32>) -> tensor<1x5x3x5xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [2, 2], rhs_dilate = [2, 2]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x4x3x3xf32>, tensor<2x2x3x5xf32>) -> tensor<1x5x3x5xf32>
  return %0 : tensor<1x5x3x5xf32>
}
