// pass: sink
// The sum is smaller than its operand, which nobody else reads.
func.func @main(%x: tensor<3x2xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %large = stablehlo.tanh %x : tensor<3x2xf32>
  %small = stablehlo.reduce(%large init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<3xf32>
  %a = stablehlo.tanh %y : tensor<3xf32>
  %b = stablehlo.sine %a : tensor<3xf32>
  %c = stablehlo.add %b, %small : tensor<3xf32>
  return %c : tensor<3xf32>
}
// expect:
func.func public @main(%x: tensor<3x2xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.tanh %x : tensor<3x2xf32>
  %2 = stablehlo.reduce(%1 init: %0) applies stablehlo.add across dimensions = [1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<3xf32>
  %4 = stablehlo.tanh %y : tensor<3xf32>
  %5 = stablehlo.sine %4 : tensor<3xf32>
  %6 = stablehlo.add %5, %2 : tensor<3xf32>
  return %6 : tensor<3xf32>
}
