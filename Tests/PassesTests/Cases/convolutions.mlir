// pass: canonicalize
func.func @fires(%x: tensor<1x2x5x6xf32>, %k: tensor<3x2x2x3xf32>) -> tensor<1x7x8x3xf32> {
  %t = stablehlo.transpose %x, dims = [0, 2, 3, 1] : (tensor<1x2x5x6xf32>) -> tensor<1x5x6x2xf32>
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %p = stablehlo.pad %t, %z, low = [0, 1, 1, 0], high = [0, 2, 2, 0], interior = [0, 0, 0, 0] : (tensor<1x5x6x2xf32>, tensor<f32>) -> tensor<1x8x9x2xf32>
  %r = stablehlo.reverse %k, dims = [1] : tensor<3x2x2x3xf32>
  %q = stablehlo.transpose %r, dims = [1, 2, 3, 0] : (tensor<3x2x2x3xf32>) -> tensor<2x2x3x3xf32>
  %s = stablehlo.slice %q [0:2, 0:2, 0:2, 0:3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x2x3xf32>
  %c = stablehlo.convolution(%p, %s) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x8x9x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x7x8x3xf32>
  return %c : tensor<1x7x8x3xf32>
}
func.func @fires_kernel(%x: tensor<1x5x6x2xf32>, %k: tensor<3x2x2x2xf32>) -> tensor<1x4x5x3xf32> {
  %r = stablehlo.reverse %k, dims = [1] : tensor<3x2x2x2xf32>
  %q = stablehlo.transpose %r, dims = [1, 2, 3, 0] : (tensor<3x2x2x2xf32>) -> tensor<2x2x2x3xf32>
  %c = stablehlo.convolution(%x, %q) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x5x6x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x4x5x3xf32>
  return %c : tensor<1x4x5x3xf32>
}
func.func @stays(%x: tensor<1x5x6x2xf32>, %k: tensor<2x2x2x3xf32>) -> tensor<1x5x5x3xf32> {
  %z = stablehlo.constant dense<1.0> : tensor<f32>
  %p = stablehlo.pad %x, %z, low = [0, 1, 0, 0], high = [0, 0, 0, 0], interior = [0, 0, 0, 0] : (tensor<1x5x6x2xf32>, tensor<f32>) -> tensor<1x6x6x2xf32>
  %c = stablehlo.convolution(%p, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x6x6x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x5x5x3xf32>
  return %c : tensor<1x5x5x3xf32>
}
// expect:
func.func public @fires(%x: tensor<1x2x5x6xf32>, %k: tensor<3x2x2x3xf32>) -> (tensor<1x7x8x3xf32>) {
  %0 = stablehlo.reverse %k, dims = [1] : tensor<3x2x2x3xf32>
  %1 = stablehlo.transpose %0, dims = [1, 2, 3, 0] : (tensor<3x2x2x3xf32>) -> tensor<2x2x3x3xf32>
  %2 = stablehlo.slice %1 [0:2, 0:2, 0:2, 0:3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x2x3xf32>
  %3 = stablehlo.convolution(%x, %2) dim_numbers = [b, f, 0, 1]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 2], [1, 2]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x2x5x6xf32>, tensor<2x2x2x3xf32>) -> tensor<1x7x8x3xf32>
  return %3 : tensor<1x7x8x3xf32>
}
func.func public @fires_kernel(%x: tensor<1x5x6x2xf32>, %k: tensor<3x2x2x2xf32>) -> (tensor<1x4x5x3xf32>) {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [true, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x5x6x2xf32>, tensor<3x2x2x2xf32>) -> tensor<1x4x5x3xf32>
  return %0 : tensor<1x4x5x3xf32>
}
func.func public @stays(%x: tensor<1x5x6x2xf32>, %k: tensor<2x2x2x3xf32>) -> (tensor<1x5x5x3xf32>) {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  %1 = stablehlo.pad %x, %0, low = [0, 1, 0, 0], high = [0, 0, 0, 0], interior = [0, 0, 0, 0] : (tensor<1x5x6x2xf32>, tensor<f32>) -> tensor<1x6x6x2xf32>
  %2 = stablehlo.convolution(%1, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x6x6x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x5x5x3xf32>
  return %2 : tensor<1x5x5x3xf32>
}
