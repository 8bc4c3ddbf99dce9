// pass: canonicalize
func.func @fires(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = stablehlo.constant dense<8.0> : tensor<3xf32>
  %a = stablehlo.divide %x, %c : tensor<3xf32>
  return %a : tensor<3xf32>
}
func.func @stays(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %c = stablehlo.constant dense<3.0> : tensor<3xf32>
  %a = stablehlo.divide %x, %c : tensor<3xf32>
  %d = stablehlo.constant dense<0x7F000000> : tensor<3xf32>
  %b = stablehlo.divide %x, %d : tensor<3xf32>
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}
// expect:
func.func public @fires(%x: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<0.125> : tensor<3xf32>
  %1 = stablehlo.multiply %x, %0 : tensor<3xf32>
  return %1 : tensor<3xf32>
}
func.func public @stays(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.constant dense<3.0> : tensor<3xf32>
  %1 = stablehlo.divide %x, %0 : tensor<3xf32>
  %2 = stablehlo.constant dense<1.7014118e+38> : tensor<3xf32>
  %3 = stablehlo.divide %x, %2 : tensor<3xf32>
  return %1, %3 : tensor<3xf32>, tensor<3xf32>
}
