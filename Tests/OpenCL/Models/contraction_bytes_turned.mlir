// Both operands of bytes are read across; the depth is no multiple of four, in two dimensions.
func.func @main(%x: tensor<3x7x9xi8>, %y: tensor<10x3x7xi8>, %z: tensor<3x7x1xui8>) -> (tensor<9x10xi32>, tensor<10x1xi32>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [0, 1] x [1, 2] : (tensor<3x7x9xi8>, tensor<10x3x7xi8>) -> tensor<9x10xi32>
  %1 = stablehlo.dot_general %y, %z, contracting_dims = [1, 2] x [0, 1] : (tensor<10x3x7xi8>, tensor<3x7x1xui8>) -> tensor<10x1xi32>
  return %0, %1 : tensor<9x10xi32>, tensor<10x1xi32>
}
