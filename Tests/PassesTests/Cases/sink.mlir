// pass: sink
// The zeros have no operands; the exponential of the small operand is larger than what it holds.
func.func @main(%x: tensor<2xf32>, %y: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %small = stablehlo.exponential %x : tensor<2xf32>
  %large = stablehlo.broadcast_in_dim %small, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
  %a = stablehlo.tanh %y : tensor<3x2xf32>
  %b = stablehlo.sine %a : tensor<3x2xf32>
  %c = stablehlo.add %b, %large : tensor<3x2xf32>
  return %c : tensor<3x2xf32>
}
// expect:
func.func public @main(%x: tensor<2xf32>, %y: tensor<3x2xf32>) -> (tensor<3x2xf32>) {
  %0 = stablehlo.tanh %y : tensor<3x2xf32>
  %1 = stablehlo.sine %0 : tensor<3x2xf32>
  %2 = stablehlo.exponential %x : tensor<2xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
  %4 = stablehlo.add %1, %3 : tensor<3x2xf32>
  return %4 : tensor<3x2xf32>
}
