// Masks and what they choose.
func.func @main(%x: tensor<3x11xf32>, %y: tensor<3x11xf32>, %m: tensor<3x11xi1>) -> (tensor<3x11xf32>, tensor<3x11xi1>) {
  %0 = stablehlo.compare LT, %x, %y, FLOAT : (tensor<3x11xf32>, tensor<3x11xf32>) -> tensor<3x11xi1>
  %1 = stablehlo.xor %0, %m : tensor<3x11xi1>
  %2 = stablehlo.select %1, %x, %y : tensor<3x11xi1>, tensor<3x11xf32>
  return %2, %1 : tensor<3x11xf32>, tensor<3x11xi1>
}
