// pass: canonicalize
func.func @fires() -> (tensor<2x3xf32>, tensor<3x2xi32>, tensor<3xi1>) {
  %c = stablehlo.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, -0.0]]> : tensor<2x3xf32>
  %d = stablehlo.exponential %c : tensor<2x3xf32>
  %i = stablehlo.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %t = stablehlo.transpose %i, dims = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32>
  %n = stablehlo.iota dim = 0 : tensor<3xi32>
  %l = stablehlo.constant dense<1> : tensor<3xi32>
  %p = stablehlo.compare LT, %n, %l, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
  return %d, %t, %p : tensor<2x3xf32>, tensor<3x2xi32>, tensor<3xi1>
}
func.func @stays() -> tensor<2x3xf32> {
  %c = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %d = stablehlo.broadcast_in_dim %c, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  return %d : tensor<2x3xf32>
}
// expect:
func.func public @fires() -> (tensor<2x3xf32>, tensor<3x2xi32>, tensor<3xi1>) {
  %0 = stablehlo.constant dense<[[2.7182817, 7.389056, 20.085537], [54.59815, 148.41316, 1.0]]> : tensor<2x3xf32>
  %1 = stablehlo.constant dense<[[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi32>
  %2 = stablehlo.constant dense<[true, false, false]> : tensor<3xi1>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<3x2xi32>, tensor<3xi1>
}
func.func public @stays() -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
