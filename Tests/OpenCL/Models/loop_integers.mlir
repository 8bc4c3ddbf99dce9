// Quotients by zero, shifts by any number, and conversions.
func.func @main(%x: tensor<3x11xi8>, %y: tensor<3x11xi8>, %z: tensor<3x11xui64>) -> (tensor<3x11xi8>, tensor<3x11xi8>, tensor<3x11xui64>, tensor<3x11xi8>) {
  %0 = stablehlo.divide %x, %y : tensor<3x11xi8>
  %1 = stablehlo.shift_left %x, %y : tensor<3x11xi8>
  %2 = stablehlo.multiply %z, %z : tensor<3x11xui64>
  %3 = stablehlo.convert %2 : (tensor<3x11xui64>) -> tensor<3x11xi8>
  return %0, %1, %2, %3 : tensor<3x11xi8>, tensor<3x11xi8>, tensor<3x11xui64>, tensor<3x11xi8>
}
