// A long depth of bytes under few tiles.
func.func @main(%x: tensor<3x2060xi8>, %y: tensor<2060x2xi8>) -> tensor<3x2xi32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<3x2060xi8>, tensor<2060x2xi8>) -> tensor<3x2xi32>
  return %0 : tensor<3x2xi32>
}
