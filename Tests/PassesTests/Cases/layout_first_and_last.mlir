// pass: layout, canonicalize
func.func @main(%x: tensor<2x9x8x4xf32>, %k: tensor<5x4x3x2xf32>, %w: tensor<5x1x3x3xf32>) -> tensor<2x5x9x8xf32> {
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[1, 1], [0, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x9x8x4xf32>, tensor<5x4x3x2xf32>) -> tensor<2x5x9x8xf32>
  %n = stablehlo.negate %c : tensor<2x5x9x8xf32>
  %r = stablehlo.convolution(%n, %w) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 5 : i64} : (tensor<2x5x9x8xf32>, tensor<5x1x3x3xf32>) -> tensor<2x5x9x8xf32>
  return %r : tensor<2x5x9x8xf32>
}
// count: transpose 1
// expect:
func.func public @main(%x: tensor<2x9x8x4xf32>, %k: tensor<5x4x3x2xf32>, %w: tensor<5x1x3x3xf32>) -> (tensor<2x5x9x8xf32>) {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [0, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x9x8x4xf32>, tensor<5x4x3x2xf32>) -> tensor<2x9x8x5xf32>
  %1 = stablehlo.negate %0 : tensor<2x9x8x5xf32>
  %2 = stablehlo.convolution(%1, %w) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 5 : i64, batch_group_count = 1 : i64} : (tensor<2x9x8x5xf32>, tensor<5x1x3x3xf32>) -> tensor<2x9x8x5xf32>
  %3 = stablehlo.transpose %2, dims = [0, 3, 1, 2] : (tensor<2x9x8x5xf32>) -> tensor<2x5x9x8xf32>
  return %3 : tensor<2x5x9x8xf32>
}
