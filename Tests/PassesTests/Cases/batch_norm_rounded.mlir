// pass: expand, canonicalize, fold-batch-norm
func.func @fires(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x3x3xf32> {
  %k = stablehlo.constant dense<[[[[1.0, 2.0, 3.0], [0.5, -1.0, 0.25]], [[1.5, 0.0, 1.0], [2.0, 1.0, -0.5]]], [[[1.0, -2.0, 3.0], [0.5, 1.0, 0.25]], [[1.5, 0.5, 1.0], [2.0, 1.0, -0.5]]]]> : tensor<2x2x2x3xf32>
  %s = stablehlo.constant dense<[1.0, 2.0, 0.5]> : tensor<3xf32>
  %o = stablehlo.constant dense<[0.0, 1.0, -1.0]> : tensor<3xf32>
  %m = stablehlo.constant dense<[0.5, 0.25, 0.0]> : tensor<3xf32>
  %v = stablehlo.constant dense<[1.0, 4.0, 0.25]> : tensor<3xf32>
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x4x4x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x3x3x3xf32>
  %n = "stablehlo.batch_norm_inference"(%c, %s, %o, %m, %v) <{epsilon = 0.001 : f32, feature_index = 3 : i64}> : (tensor<1x3x3x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x3x3xf32>
  return %n : tensor<1x3x3x3xf32>
}
func.func @stays(%x: tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %k = stablehlo.constant dense<[[1.0, 2.0], [3.0, 0.5], [-1.0, 0.25]]> : tensor<3x2xf32>
  %s = stablehlo.constant dense<[3.0, 5.0]> : tensor<2xf32>
  %d = stablehlo.dot_general %x, %k, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %b = stablehlo.broadcast_in_dim %s, dims = [1] : (tensor<2xf32>) -> tensor<2x2xf32>
  %m = stablehlo.multiply %d, %b : tensor<2x2xf32>
  return %m, %d : tensor<2x2xf32>, tensor<2x2xf32>
}
// expect:
func.func public @fires(%x: tensor<1x4x4x2xf32>) -> (tensor<1x3x3x3xf32>) {
  %0 = stablehlo.constant dense<[[[[0.9995004, 1.9997501, 2.994018], [0.4997502, -0.99987507, 0.24950151]], [[1.4992507, 0.0, 0.99800605], [1.9990008, 0.99987507, -0.49900302]]], [[[0.9995004, -1.9997501, 2.994018], [0.4997502, 0.99987507, 0.24950151]], [[1.4992507, 0.49993753, 0.99800605], [1.9990008, 0.99987507, -0.49900302]]]]> : tensor<2x2x2x3xf32>
  %1 = stablehlo.convolution(%x, %0) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x4x4x2xf32>, tensor<2x2x2x3xf32>) -> tensor<1x3x3x3xf32>
  %2 = stablehlo.constant dense<[-0.4997502, 0.75003123, -1.0]> : tensor<3xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [3] : (tensor<3xf32>) -> tensor<1x3x3x3xf32>
  %4 = stablehlo.add %1, %3 : tensor<1x3x3x3xf32>
  return %4 : tensor<1x3x3x3xf32>
}
func.func public @stays(%x: tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = stablehlo.constant dense<[[1.0, 2.0], [3.0, 0.5], [-1.0, 0.25]]> : tensor<3x2xf32>
  %1 = stablehlo.constant dense<[3.0, 5.0]> : tensor<2xf32>
  %2 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %3 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<2xf32>) -> tensor<2x2xf32>
  %4 = stablehlo.multiply %2, %3 : tensor<2x2xf32>
  return %4, %2 : tensor<2x2xf32>, tensor<2x2xf32>
}
