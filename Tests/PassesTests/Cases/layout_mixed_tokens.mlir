// pass: canonicalize, layout, canonicalize
// Tokens are mixed for each feature: the products have the weights left of the values, and what is between them lies as the
// tokens do. The last product's result is read as it is, and stays.
func.func public @main(%x: tensor<1x3x20xf32>, %b: tensor<2xf32>) -> (tensor<1x3x20xf32>, tensor<1x20x2xf32>) {
  %w = stablehlo.constant dense<[[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]]> : tensor<3x2xf32>
  %v = stablehlo.constant dense<[[0.5, 1.0, 2.0], [-1.0, 0.75, 4.0]]> : tensor<2x3xf32>
  %t = stablehlo.transpose %x, dims = [0, 2, 1] : (tensor<1x3x20xf32>) -> tensor<1x20x3xf32>
  %d = stablehlo.dot_general %t, %w, contracting_dims = [2] x [0] : (tensor<1x20x3xf32>, tensor<3x2xf32>) -> tensor<1x20x2xf32>
  %c = stablehlo.broadcast_in_dim %b, dims = [2] : (tensor<2xf32>) -> tensor<1x20x2xf32>
  %a = stablehlo.add %d, %c : tensor<1x20x2xf32>
  %g = stablehlo.logistic %a : tensor<1x20x2xf32>
  %m = stablehlo.multiply %a, %g : tensor<1x20x2xf32>
  %e = stablehlo.dot_general %m, %v, contracting_dims = [2] x [0] : (tensor<1x20x2xf32>, tensor<2x3xf32>) -> tensor<1x20x3xf32>
  %u = stablehlo.transpose %e, dims = [0, 2, 1] : (tensor<1x20x3xf32>) -> tensor<1x3x20xf32>
  %r = stablehlo.add %u, %x : tensor<1x3x20xf32>
  %other = stablehlo.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]> : tensor<3x2xf32>
  %s = stablehlo.dot_general %t, %other, contracting_dims = [2] x [0] : (tensor<1x20x3xf32>, tensor<3x2xf32>) -> tensor<1x20x2xf32>
  return %r, %s : tensor<1x3x20xf32>, tensor<1x20x2xf32>
}
// count: transpose 0
// expect:
func.func public @main(%x: tensor<1x3x20xf32>, %b: tensor<2xf32>) -> (tensor<1x3x20xf32>, tensor<1x20x2xf32>) {
  %0 = stablehlo.constant dense<[[1.0, 0.5, -1.5], [-2.0, 3.0, 0.25]]> : tensor<2x3xf32>
  %1 = stablehlo.dot_general %0, %x, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<1x3x20xf32>) -> tensor<2x1x20xf32>
  %2 = stablehlo.broadcast_in_dim %b, dims = [0] : (tensor<2xf32>) -> tensor<2x1x20xf32>
  %3 = stablehlo.add %1, %2 : tensor<2x1x20xf32>
  %4 = stablehlo.logistic %3 : tensor<2x1x20xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<2x1x20xf32>
  %6 = stablehlo.constant dense<[[0.5, -1.0], [1.0, 0.75], [2.0, 4.0]]> : tensor<3x2xf32>
  %7 = stablehlo.dot_general %6, %5, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x1x20xf32>) -> tensor<3x1x20xf32>
  %8 = stablehlo.reshape %7 : (tensor<3x1x20xf32>) -> tensor<1x3x20xf32>
  %9 = stablehlo.add %8, %x : tensor<1x3x20xf32>
  %10 = stablehlo.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]> : tensor<3x2xf32>
  %11 = stablehlo.dot_general %x, %10, contracting_dims = [1] x [0] : (tensor<1x3x20xf32>, tensor<3x2xf32>) -> tensor<1x20x2xf32>
  return %9, %11 : tensor<1x3x20xf32>, tensor<1x20x2xf32>
}
