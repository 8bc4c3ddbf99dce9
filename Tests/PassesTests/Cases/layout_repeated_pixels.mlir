// pass: layout, canonicalize
// An image whose pixels are repeated to twice its width and height stays with channels last: a transpose is left at the edge.
func.func public @main(%x: tensor<1x2x3x4xf32>) -> tensor<1x5x6x8xf32> {
  %k = stablehlo.constant dense<"0x0000803F000000400000404000008040000020C10000A0400000C0400000E040000000410000103F"> : tensor<5x2x1x1xf32>
  %z = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[0, 0], [0, 0]]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x2x3x4xf32>, tensor<5x2x1x1xf32>) -> tensor<1x5x3x4xf32>
  %s = stablehlo.reshape %z : (tensor<1x5x3x4xf32>) -> tensor<5x3x4xf32>
  %a = stablehlo.broadcast_in_dim %s, dims = [1, 2, 4] : (tensor<5x3x4xf32>) -> tensor<1x5x3x2x4xf32>
  %b = stablehlo.reshape %a : (tensor<1x5x3x2x4xf32>) -> tensor<5x6x4xf32>
  %c = stablehlo.broadcast_in_dim %b, dims = [1, 2, 3] : (tensor<5x6x4xf32>) -> tensor<1x5x6x4x2xf32>
  %d = stablehlo.reshape %c : (tensor<1x5x6x4x2xf32>) -> tensor<1x5x6x8xf32>
  %f = stablehlo.logistic %d : tensor<1x5x6x8xf32>
  return %f : tensor<1x5x6x8xf32>
}
// count: transpose 1
// expect:
func.func public @main(%x: tensor<1x2x3x4xf32>) -> (tensor<1x5x6x8xf32>) {
  %0 = stablehlo.constant dense<[[[[1.0, 3.0, -10.0, 6.0, 8.0], [2.0, 4.0, 5.0, 7.0, 0.5625]]]]> : tensor<1x1x2x5xf32>
  %1 = stablehlo.convolution(%x, %0) dim_numbers = [b, f, 0, 1]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x2x3x4xf32>, tensor<1x1x2x5xf32>) -> tensor<1x3x4x5xf32>
  %2 = stablehlo.logistic %1 : tensor<1x3x4x5xf32>
  %3 = stablehlo.reshape %2 : (tensor<1x3x4x5xf32>) -> tensor<3x4x5xf32>
  %4 = stablehlo.broadcast_in_dim %3, dims = [2, 4, 6] : (tensor<3x4x5xf32>) -> tensor<1x1x3x2x4x2x5xf32>
  %5 = stablehlo.reshape %4 : (tensor<1x1x3x2x4x2x5xf32>) -> tensor<1x6x8x5xf32>
  %6 = stablehlo.transpose %5, dims = [0, 3, 1, 2] : (tensor<1x6x8x5xf32>) -> tensor<1x5x6x8xf32>
  return %6 : tensor<1x5x6x8xf32>
}
