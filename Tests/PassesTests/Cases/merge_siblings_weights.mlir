// pass: merge-siblings, canonicalize
func.func @main(%x: tensor<3x2xf32>, %y: tensor<3x2xf32>) -> (tensor<1x4xf32>, tensor<3x2x3x2xf32>) {
  // Weights with two free dimensions: heads, and columns of each. The biases are a matrix, a number, and a row.
  %a = stablehlo.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %b = stablehlo.constant dense<[[[-1.0, 2.5]], [[0.5, -6.0]]]> : tensor<2x1x2xf32>
  %c = stablehlo.constant dense<[[[1.5, 1.25]], [[0.25, 9.0]]]> : tensor<2x1x2xf32>
  %p = stablehlo.constant dense<[[0.5, 1.5], [-0.5, 0.0]]> : tensor<2x2xf32>
  %q = stablehlo.constant dense<2.5> : tensor<f32>
  %r = stablehlo.constant dense<[4.0, 5.0]> : tensor<2xf32>
  %0 = stablehlo.dot_general %x, %a, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x2x2xf32>) -> tensor<3x2x2xf32>
  %1 = stablehlo.broadcast_in_dim %p, dims = [1, 2] : (tensor<2x2xf32>) -> tensor<3x2x2xf32>
  %2 = stablehlo.add %1, %0 : tensor<3x2x2xf32>
  %3 = stablehlo.dot_general %x, %b, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x1x2xf32>) -> tensor<3x1x2xf32>
  %4 = stablehlo.broadcast_in_dim %q, dims = [] : (tensor<f32>) -> tensor<3x1x2xf32>
  %5 = stablehlo.add %4, %3 : tensor<3x1x2xf32>
  // A row of columns does not lie beside matrices along the heads.
  %6 = stablehlo.dot_general %x, %c, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x1x2xf32>) -> tensor<3x1x2xf32>
  %7 = stablehlo.broadcast_in_dim %r, dims = [2] : (tensor<2xf32>) -> tensor<3x1x2xf32>
  %8 = stablehlo.add %7, %6 : tensor<3x1x2xf32>
  %9 = stablehlo.reshape %8 : (tensor<3x1x2xf32>) -> tensor<3x2xf32>
  %10 = stablehlo.dot_general %5, %9, contracting_dims = [0, 2] x [0, 1] : (tensor<3x1x2xf32>, tensor<3x2xf32>) -> tensor<1xf32>
  %11 = stablehlo.dot_general %y, %2, contracting_dims = [0] x [0] : (tensor<3x2xf32>, tensor<3x2x2xf32>) -> tensor<2x2x2xf32>
  %12 = stablehlo.reshape %11 : (tensor<2x2x2xf32>) -> tensor<2x4xf32>
  %13 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<1xf32>) -> tensor<1x2xf32>
  %14 = stablehlo.dot_general %13, %12, contracting_dims = [1] x [0] : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %15 = stablehlo.dot_general %2, %5, contracting_dims = [2] x [2] : (tensor<3x2x2xf32>, tensor<3x1x2xf32>) -> tensor<3x2x3x1xf32>
  %16 = stablehlo.concatenate %15, %15, dim = 3 : (tensor<3x2x3x1xf32>, tensor<3x2x3x1xf32>) -> tensor<3x2x3x2xf32>
  return %14, %16 : tensor<1x4xf32>, tensor<3x2x3x2xf32>
}
// expect:
func.func public @main(%x: tensor<3x2xf32>, %y: tensor<3x2xf32>) -> (tensor<1x4xf32>, tensor<3x2x3x2xf32>) {
  %0 = stablehlo.constant dense<[[[1.5, 1.25]], [[0.25, 9.0]]]> : tensor<2x1x2xf32>
  %1 = stablehlo.constant dense<[4.0, 5.0]> : tensor<2xf32>
  %2 = stablehlo.constant dense<[[[1.0, 2.0], [3.0, 4.0], [-1.0, 2.5]], [[5.0, 6.0], [7.0, 8.0], [0.5, -6.0]]]> : tensor<2x3x2xf32>
  %3 = stablehlo.dot_general %x, %2, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x3x2xf32>) -> tensor<3x3x2xf32>
  %4 = stablehlo.constant dense<[[0.5, 1.5], [-0.5, 0.0], [2.5, 2.5]]> : tensor<3x2xf32>
  %5 = stablehlo.broadcast_in_dim %4, dims = [1, 2] : (tensor<3x2xf32>) -> tensor<3x3x2xf32>
  %6 = stablehlo.add %5, %3 : tensor<3x3x2xf32>
  %7 = stablehlo.slice %6 [0:3, 0:2, 0:2] : (tensor<3x3x2xf32>) -> tensor<3x2x2xf32>
  %8 = stablehlo.slice %6 [0:3, 2:3, 0:2] : (tensor<3x3x2xf32>) -> tensor<3x1x2xf32>
  %9 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<3x2xf32>, tensor<2x1x2xf32>) -> tensor<3x1x2xf32>
  %10 = stablehlo.broadcast_in_dim %1, dims = [2] : (tensor<2xf32>) -> tensor<3x1x2xf32>
  %11 = stablehlo.add %10, %9 : tensor<3x1x2xf32>
  %12 = stablehlo.reshape %11 : (tensor<3x1x2xf32>) -> tensor<3x2xf32>
  %13 = stablehlo.dot_general %8, %12, contracting_dims = [0, 2] x [0, 1] : (tensor<3x1x2xf32>, tensor<3x2xf32>) -> tensor<1xf32>
  %14 = stablehlo.dot_general %y, %7, contracting_dims = [0] x [0] : (tensor<3x2xf32>, tensor<3x2x2xf32>) -> tensor<2x2x2xf32>
  %15 = stablehlo.reshape %14 : (tensor<2x2x2xf32>) -> tensor<2x4xf32>
  %16 = stablehlo.reshape %13 : (tensor<1xf32>) -> tensor<f32>
  %17 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f32>) -> tensor<1x2xf32>
  %18 = stablehlo.dot_general %17, %15, contracting_dims = [1] x [0] : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %19 = stablehlo.dot_general %7, %8, contracting_dims = [2] x [2] : (tensor<3x2x2xf32>, tensor<3x1x2xf32>) -> tensor<3x2x3x1xf32>
  %20 = stablehlo.concatenate %19, %19, dim = 3 : (tensor<3x2x3x1xf32>, tensor<3x2x3x1xf32>) -> tensor<3x2x3x2xf32>
  return %18, %20 : tensor<1x4xf32>, tensor<3x2x3x2xf32>
}
