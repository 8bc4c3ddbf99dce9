// pass: canonicalize
func.func @fires(%x: tensor<3xf32>, %y: tensor<3xf32>, %p: tensor<3xi1>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %t = stablehlo.constant dense<true> : tensor<3xi1>
  %a = stablehlo.select %t, %x, %y : tensor<3xi1>, tensor<3xf32>
  %b = stablehlo.select %p, %y, %y : tensor<3xi1>, tensor<3xf32>
  %n = stablehlo.not %p : tensor<3xi1>
  %c = stablehlo.select %n, %x, %y : tensor<3xi1>, tensor<3xf32>
  return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
func.func @stays(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %t = stablehlo.constant dense<[true, false, true]> : tensor<3xi1>
  %a = stablehlo.select %t, %x, %y : tensor<3xi1>, tensor<3xf32>
  return %a : tensor<3xf32>
}
// expect:
func.func public @fires(%x: tensor<3xf32>, %y: tensor<3xf32>, %p: tensor<3xi1>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.select %p, %y, %x : tensor<3xi1>, tensor<3xf32>
  return %x, %y, %0 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
func.func public @stays(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<[true, false, true]> : tensor<3xi1>
  %1 = stablehlo.select %0, %x, %y : tensor<3xi1>, tensor<3xf32>
  return %1 : tensor<3xf32>
}
