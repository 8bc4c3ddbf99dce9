// Groups of images.
func.func @main(%x: tensor<4x5x4x3xf32>, %k: tensor<2x2x3x16xf32>) -> tensor<2x4x3x16xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 2 : i64, feature_group_count = 1 : i64} : (tensor<4x5x4x3xf32>, tensor<2x2x3x16xf32>) -> tensor<2x4x3x16xf32>
  return %0 : tensor<2x4x3x16xf32>
}
