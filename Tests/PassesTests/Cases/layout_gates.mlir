// pass: layout, canonicalize
// A gate for each line, repeated along it, takes the order of the image that it scales, whichever comes first.
func.func public @main(%x: tensor<1x2x3x4xf32>) -> tensor<1x5x3x4xf32> {
  %k = stablehlo.constant dense<"0x0000803F000000400000404000008040000020C10000A0400000C0400000E040000000410000103F"> : tensor<5x2x1x1xf32>
  %z = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[0, 0], [0, 0]]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x2x3x4xf32>, tensor<5x2x1x1xf32>) -> tensor<1x5x3x4xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %s = stablehlo.reduce(%z init: %zero) applies stablehlo.add across dimensions = [2] : (tensor<1x5x3x4xf32>, tensor<f32>) -> tensor<1x5x4xf32>
  %g = stablehlo.logistic %s : tensor<1x5x4xf32>
  %b = stablehlo.broadcast_in_dim %g, dims = [0, 1, 3] : (tensor<1x5x4xf32>) -> tensor<1x5x3x4xf32>
  %r = stablehlo.multiply %b, %z : tensor<1x5x3x4xf32>
  %t = stablehlo.tanh %r : tensor<1x5x3x4xf32>
  return %t : tensor<1x5x3x4xf32>
}
// count: transpose 1
// expect:
func.func public @main(%x: tensor<1x2x3x4xf32>) -> (tensor<1x5x3x4xf32>) {
  %0 = stablehlo.constant dense<[[[[1.0, 3.0, -10.0, 6.0, 8.0], [2.0, 4.0, 5.0, 7.0, 0.5625]]]]> : tensor<1x1x2x5xf32>
  %1 = stablehlo.convolution(%x, %0) dim_numbers = [b, f, 0, 1]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x2x3x4xf32>, tensor<1x1x2x5xf32>) -> tensor<1x3x4x5xf32>
  %2 = stablehlo.constant dense<0.0> : tensor<f32>
  %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1] : (tensor<1x3x4x5xf32>, tensor<f32>) -> tensor<1x4x5xf32>
  %5 = stablehlo.logistic %3 : tensor<1x4x5xf32>
  %6 = stablehlo.reshape %5 : (tensor<1x4x5xf32>) -> tensor<4x5xf32>
  %7 = stablehlo.broadcast_in_dim %6, dims = [2, 3] : (tensor<4x5xf32>) -> tensor<1x3x4x5xf32>
  %8 = stablehlo.multiply %7, %1 : tensor<1x3x4x5xf32>
  %9 = stablehlo.tanh %8 : tensor<1x3x4x5xf32>
  %10 = stablehlo.transpose %9, dims = [0, 3, 1, 2] : (tensor<1x3x4x5xf32>) -> tensor<1x5x3x4xf32>
  return %10 : tensor<1x5x3x4xf32>
}
