// pass: sink
// The new parameter waits for the last reader of the old one.
func.func @main(%p: tensor<3xf32>, %g: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %new = stablehlo.subtract %p, %g : tensor<3xf32>
  %a = stablehlo.tanh %p : tensor<3xf32>
  %b = stablehlo.sine %a : tensor<3xf32>
  return %new, %b : tensor<3xf32>, tensor<3xf32>
}
// expect:
func.func public @main(%p: tensor<3xf32>, %g: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.tanh %p : tensor<3xf32>
  %1 = stablehlo.subtract %p, %g : tensor<3xf32>
  %2 = stablehlo.sine %0 : tensor<3xf32>
  return %1, %2 : tensor<3xf32>, tensor<3xf32>
}
