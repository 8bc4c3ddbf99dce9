// pass: canonicalize
func.func @fires(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %c2 = stablehlo.constant dense<2.0> : tensor<3xf32>
  %c3 = stablehlo.constant dense<3.0> : tensor<3xf32>
  %c4 = stablehlo.constant dense<-1.0> : tensor<3xf32>
  %a = stablehlo.power %x, %c2 : tensor<3xf32>
  %b = stablehlo.power %x, %c3 : tensor<3xf32>
  %c = stablehlo.power %x, %c4 : tensor<3xf32>
  return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
func.func @stays(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = stablehlo.constant dense<0.5> : tensor<3xf32>
  %a = stablehlo.power %x, %c : tensor<3xf32>
  return %a : tensor<3xf32>
}
// expect:
func.func public @fires(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.multiply %x, %x : tensor<3xf32>
  %1 = stablehlo.multiply %0, %x : tensor<3xf32>
  %2 = stablehlo.constant dense<1.0> : tensor<3xf32>
  %3 = stablehlo.divide %2, %x : tensor<3xf32>
  return %0, %1, %3 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
func.func public @stays(%x: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<0.5> : tensor<3xf32>
  %1 = stablehlo.power %x, %0 : tensor<3xf32>
  return %1 : tensor<3xf32>
}
