// pass: canonicalize
func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %a = stablehlo.add %x, %y : tensor<3xf32>
  %b = stablehlo.add %x, %y : tensor<3xf32>
  %unused = stablehlo.tanh %a : tensor<3xf32>
  %c = stablehlo.multiply %a, %b : tensor<3xf32>
  return %c : tensor<3xf32>
}
// expect:
func.func public @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.add %x, %y : tensor<3xf32>
  %1 = stablehlo.multiply %0, %0 : tensor<3xf32>
  return %1 : tensor<3xf32>
}
