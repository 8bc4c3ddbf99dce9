// A feature a group: no product.
func.func @main(%x: tensor<1x6x5x6xf32>, %k: tensor<3x3x1x6xf32>) -> tensor<1x6x5x6xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 6 : i64} : (tensor<1x6x5x6xf32>, tensor<3x3x1x6xf32>) -> tensor<1x6x5x6xf32>
  return %0 : tensor<1x6x5x6xf32>
}
