// Few pixels and a long depth: parts of it are summed apart.
// kernels: kernel convolution_sum
func.func @main(%x: tensor<1x3x3x58xf32>, %k: tensor<3x3x58x1xf32>) -> tensor<1x1x1x1xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x3x3x58xf32>, tensor<3x3x58x1xf32>) -> tensor<1x1x1x1xf32>
  return %0 : tensor<1x1x1x1xf32>
}
