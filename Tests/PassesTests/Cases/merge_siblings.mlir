// pass: merge-siblings, canonicalize
func.func @main(%x: tensor<2x3xf32>, %k: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<4x2xf32>) {
  %a = stablehlo.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %b = stablehlo.constant dense<[[7.0], [8.0], [9.0]]> : tensor<3x1xf32>
  %c = stablehlo.constant dense<[[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]]> : tensor<3x2xf32>
  %d = stablehlo.constant dense<[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 0.0, 1.0]]> : tensor<3x4xf32>
  %p = stablehlo.constant dense<[0.5, 1.5]> : tensor<2xf32>
  %q = stablehlo.constant dense<2.5> : tensor<1xf32>
  %r = stablehlo.constant dense<3.5> : tensor<2x4xf32>
  %0 = stablehlo.dot_general %x, %a, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %1 = stablehlo.broadcast_in_dim %p, dims = [1] : (tensor<2xf32>) -> tensor<2x2xf32>
  %2 = stablehlo.add %0, %1 : tensor<2x2xf32>
  %3 = stablehlo.dot_general %x, %b, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x1xf32>) -> tensor<2x1xf32>
  %4 = stablehlo.broadcast_in_dim %q, dims = [1] : (tensor<1xf32>) -> tensor<2x1xf32>
  %5 = stablehlo.add %3, %4 : tensor<2x1xf32>
  // A result is computed where it is wanted.
  %6 = stablehlo.dot_general %x, %c, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %7 = stablehlo.add %6, %1 : tensor<2x2xf32>
  // Read through a view; its other steps are not shared.
  %8 = stablehlo.dot_general %x, %d, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %9 = stablehlo.add %8, %r : tensor<2x4xf32>
  %10 = stablehlo.reshape %9 : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %11 = stablehlo.dot_general %x, %c, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %12 = stablehlo.multiply %11, %1 : tensor<2x2xf32>
  %13 = stablehlo.dot_general %2, %12, contracting_dims = [1] x [0] : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %14 = stablehlo.dot_general %k, %5, contracting_dims = [1] x [0] : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %15 = stablehlo.dot_general %10, %k, contracting_dims = [1] x [0] : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  return %13, %14, %7, %15 : tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<4x2xf32>
}
// expect:
func.func public @main(%x: tensor<2x3xf32>, %k: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<4x2xf32>) {
  %0 = stablehlo.constant dense<[[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]]> : tensor<3x2xf32>
  %1 = stablehlo.constant dense<[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 0.0, 1.0]]> : tensor<3x4xf32>
  %2 = stablehlo.constant dense<[0.5, 1.5]> : tensor<2xf32>
  %3 = stablehlo.constant dense<3.5> : tensor<2x4xf32>
  %4 = stablehlo.constant dense<[[1.0, 2.0, 7.0], [3.0, 4.0, 8.0], [5.0, 6.0, 9.0]]> : tensor<3x3xf32>
  %5 = stablehlo.dot_general %x, %4, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
  %6 = stablehlo.constant dense<[0.5, 1.5, 2.5]> : tensor<3xf32>
  %7 = stablehlo.broadcast_in_dim %6, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %8 = stablehlo.add %5, %7 : tensor<2x3xf32>
  %9 = stablehlo.slice %8 [0:2, 0:2] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  %10 = stablehlo.slice %8 [0:2, 2:3] : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %11 = stablehlo.broadcast_in_dim %2, dims = [1] : (tensor<2xf32>) -> tensor<2x2xf32>
  %12 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %13 = stablehlo.add %12, %11 : tensor<2x2xf32>
  %14 = stablehlo.dot_general %x, %1, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %15 = stablehlo.add %14, %3 : tensor<2x4xf32>
  %16 = stablehlo.reshape %15 : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %17 = stablehlo.multiply %12, %11 : tensor<2x2xf32>
  %18 = stablehlo.dot_general %9, %17, contracting_dims = [1] x [0] : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %19 = stablehlo.dot_general %k, %10, contracting_dims = [1] x [0] : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %20 = stablehlo.dot_general %16, %k, contracting_dims = [1] x [0] : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  return %18, %19, %13, %20 : tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x2xf32>, tensor<4x2xf32>
}
