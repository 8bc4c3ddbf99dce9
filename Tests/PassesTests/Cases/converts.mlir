// pass: canonicalize
func.func @fires(%x: tensor<3xi8>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %a = stablehlo.convert %x : (tensor<3xi8>) -> tensor<3xi32>
  %b = stablehlo.convert %a : (tensor<3xi32>) -> tensor<3xf32>
  %c = stablehlo.convert %y : (tensor<3xf32>) -> tensor<3xf64>
  %d = stablehlo.convert %c : (tensor<3xf64>) -> tensor<3xf32>
  return %b, %d : tensor<3xf32>, tensor<3xf32>
}
func.func @stays(%y: tensor<3xf32>) -> tensor<3xf32> {
  %c = stablehlo.convert %y : (tensor<3xf32>) -> tensor<3xf16>
  %d = stablehlo.convert %c : (tensor<3xf16>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}
// expect:
func.func public @fires(%x: tensor<3xi8>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.convert %x : (tensor<3xi8>) -> tensor<3xf32>
  return %0, %y : tensor<3xf32>, tensor<3xf32>
}
func.func public @stays(%y: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.convert %y : (tensor<3xf32>) -> tensor<3xf16>
  %1 = stablehlo.convert %0 : (tensor<3xf16>) -> tensor<3xf32>
  return %1 : tensor<3xf32>
}
