// pass: canonicalize
func.func @fires(%x: tensor<2x3x5xf32>) -> (tensor<30xf32>, tensor<2x3x5xf32>, tensor<2x15xf32>) {
  %a = stablehlo.reshape %x : (tensor<2x3x5xf32>) -> tensor<6x5xf32>
  %b = stablehlo.reshape %a : (tensor<6x5xf32>) -> tensor<30xf32>
  %c = stablehlo.reshape %b : (tensor<30xf32>) -> tensor<2x3x5xf32>
  %d = stablehlo.negate %a : tensor<6x5xf32>
  %e = stablehlo.reshape %d : (tensor<6x5xf32>) -> tensor<2x15xf32>
  return %b, %c, %e : tensor<30xf32>, tensor<2x3x5xf32>, tensor<2x15xf32>
}
func.func @stays(%x: tensor<2x3xf32>, %y: tensor<6xf32>) -> tensor<6xf32> {
  %a = stablehlo.reshape %x : (tensor<2x3xf32>) -> tensor<6xf32>
  %b = stablehlo.add %a, %y : tensor<6xf32>
  return %b : tensor<6xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3x5xf32>) -> (tensor<30xf32>, tensor<2x3x5xf32>, tensor<2x15xf32>) {
  %0 = stablehlo.reshape %x : (tensor<2x3x5xf32>) -> tensor<30xf32>
  %1 = stablehlo.negate %x : tensor<2x3x5xf32>
  %2 = stablehlo.reshape %1 : (tensor<2x3x5xf32>) -> tensor<2x15xf32>
  return %0, %x, %2 : tensor<30xf32>, tensor<2x3x5xf32>, tensor<2x15xf32>
}
func.func public @stays(%x: tensor<2x3xf32>, %y: tensor<6xf32>) -> (tensor<6xf32>) {
  %0 = stablehlo.reshape %x : (tensor<2x3xf32>) -> tensor<6xf32>
  %1 = stablehlo.add %0, %y : tensor<6xf32>
  return %1 : tensor<6xf32>
}
