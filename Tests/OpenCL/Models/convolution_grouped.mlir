// Groups of features, each a product of its own.
// kernels: kernel .* items
func.func @main(%x: tensor<1x3x4x4xf32>, %k: tensor<3x2x2x16xf32>) -> tensor<1x3x3x16xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [0, 0]]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<1x3x4x4xf32>, tensor<3x2x2x16xf32>) -> tensor<1x3x3x16xf32>
  return %0 : tensor<1x3x3x16xf32>
}
